/** What a case is: it runs between two machines of a lab and says what it saw. A new case is one entry in its suite. */
import type { Application, ApplicationResult, Wait } from "../engine/application.js";
import type { Lab, LabMachine } from "../engine/lab.js";
import type { Random } from "../model/random.js";

/** How much the cases move. */
export interface Amounts {
  /** Of a bulk transfer. */
  readonly bytes: number;
  readonly requests: number;
  readonly datagrams: number;
}

export const NORMAL: Amounts = { bytes: 100 * 1024 * 1024, requests: 1000, datagrams: 10_000 };
export const QUICK: Amounts = { bytes: 4 * 1024 * 1024, requests: 100, datagrams: 1000 };

export interface CaseContext {
  readonly lab: Lab;
  /** The one that begins. */
  readonly from: LabMachine;
  readonly to: LabMachine;
  readonly amounts: Amounts;
  /** For anything that is waited for. */
  readonly wait: Wait;
  /** All that a case leaves to chance comes from here. */
  readonly random: Random;
}

export type Figures = Readonly<Record<string, number | string | boolean>>;

export interface Outcome {
  readonly figures: Figures;
  /** What was not as it should be; none: passed. */
  readonly problems: readonly string[];
}

export interface TestCase {
  /** `suite.name`. */
  readonly id: string;
  /** What it shows, one sentence. */
  readonly title: string;
  /** It says the same whichever side begins: it runs for the first pair of machines alone. */
  readonly once?: boolean;
  /** When it fails, nothing else can be said about these two machines: the cases after it are blocked. */
  readonly essential?: boolean;
  /** Why it cannot say anything about these machines; undefined when it can. */
  notFor?(context: CaseContext): string | undefined;
  /** What it needs and is not there at the moment; undefined when all is. */
  blockedBy?(context: CaseContext): Promise<string | undefined>;
  /** Throws what keeps it from running to its end; that is a failure as well. */
  run(context: CaseContext): Promise<Outcome>;
}

export interface Side {
  readonly machine: LabMachine;
  readonly application: string;
  readonly options: readonly string[];
}

/**
 * A server and its client. A server that knows when it has all ends by itself; another is stopped when the client has
 * ended.
 */
export async function exchange(
  wait: Wait,
  server: Side & { readonly endsItself: boolean },
  client: Side,
): Promise<{ server: ApplicationResult; client: ApplicationResult }> {
  await using serving = await start(server);
  await serving.listening(wait);
  await using asking = await start(client);
  const asked = await asking.result(wait);
  const endsItself = server.endsItself && asked.exitCode === 0;
  return { client: asked, server: endsItself ? await serving.result(wait) : await serving.stop() };
}

function start({ machine, application, options }: Side): Promise<Application> {
  return machine.start(application, options);
}

/** Collects what differs from what it should be. */
export class Expectations {
  readonly problems: string[] = [];

  equal(what: string, seen: unknown, expected: unknown): void {
    if (seen !== expected) this.problems.push(`${what}: ${String(seen)}, expected ${String(expected)}`);
  }

  atLeast(what: string, seen: unknown, least: number): void {
    // NaN, where a program has not said, is not enough either.
    if (typeof seen === "number" && seen >= least) return;
    this.problems.push(`${what}: ${String(seen)}, expected ${least} or more`);
  }

  /** The program ended well; otherwise its last words are the problem. */
  ended(who: string, { exitCode, said }: ApplicationResult, expected = 0): void {
    if (exitCode === expected) return;
    const words = said.slice(-3).join(" / ");
    this.problems.push(`${who} ended with exit code ${exitCode}, expected ${expected}: ${words}`);
  }
}

/** What both programs tell of a transfer that they check byte by byte. */
export interface Transfer {
  readonly sent: ApplicationResult;
  readonly received: ApplicationResult;
  /** That were to arrive, of all connections. */
  readonly bytes: number;
  readonly connections?: number;
  /** How the programs are called when one of them fails. */
  readonly titles?: { readonly source: string; readonly sink: string };
}

/** A transfer is right when both programs have ended well, all has arrived, and it is what was sent. */
export function judgeTransfer(expect: Expectations, transfer: Transfer): Figures {
  const { sent, received, bytes, connections = 1, titles } = transfer;
  expect.ended(titles?.source ?? "tcp_source", sent);
  expect.ended(titles?.sink ?? "tcp_sink", received);
  expect.equal("bytes received", figure(received, "bytes"), bytes);
  expect.equal("verified", received.figures?.verified, true);
  const hashes = hashesOf(received);
  expect.equal("checksums", hashes.length, connections);
  expect.equal("SHA-256 of what arrived", hashes.join(), hashesOf(sent).join());
  return figures({
    bytes_sent: figure(sent, "bytes"),
    bytes_received: figure(received, "bytes"),
    verified: received.figures?.verified,
    sha256: hashes[0],
    gbps: figure(received, "gbps"),
  });
}

/** Sorted: connections may end in any order. */
function hashesOf({ figures: all }: ApplicationResult): string[] {
  return Array.isArray(all?.sha256) ? all.sha256.map(String).sort() : [];
}

/** A figure as a number, NaN when it is none. */
export function figure(result: ApplicationResult, name: string): number {
  const value = result.figures?.[name];
  return typeof value === "number" ? value : Number.NaN;
}

/** Those figures that are there, for the report. */
export function figures(from: Readonly<Record<string, unknown>>): Figures {
  return Object.fromEntries(
    Object.entries(from).filter(
      (entry): entry is [string, number | string | boolean] =>
        ["string", "boolean"].includes(typeof entry[1]) || Number.isFinite(entry[1]),
    ),
  );
}
