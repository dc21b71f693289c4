/**
 * One of the stack's applications inside a machine. With --json they print a line when they listen and one with the
 * result; everything else they say goes to standard error.
 */
import type { GuestProcess, MachineDriver, MachineSpec } from "../drivers/machine-driver.js";
import type { Clock } from "../host/clock.js";
import type { RunResult } from "../host/exec.js";
import { withDeadline } from "../host/wait.js";
import { VnflabError } from "../model/error.js";

export interface ApplicationResult {
  readonly exitCode: number;
  /** The fields of the result line; undefined when the program ended without one. */
  readonly figures: Readonly<Record<string, unknown>> | undefined;
  /** Last lines of what it said to people. */
  readonly said: readonly string[];
  /** The first ones: what the stack says of itself as it begins. */
  readonly saidFirst: readonly string[];
}

export interface Wait {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

const STOP_GRACE_MS = 5000;
const SAID_LINES = 20;

export class Application implements AsyncDisposable {
  private readonly ended: Promise<ApplicationResult>;
  private running = true;

  private constructor(
    readonly title: string,
    private readonly clock: Clock,
    private readonly process: GuestProcess,
    private readonly isListening: Promise<void>,
  ) {
    this.ended = process.wait().then((result) => {
      this.running = false;
      return summarise(result);
    });
    // Whoever waits gets the failure; nobody waiting is no reason to end the process.
    this.ended.catch(() => {});
  }

  static async start(
    clock: Clock,
    driver: MachineDriver,
    spec: MachineSpec,
    name: string,
    options: readonly string[],
  ): Promise<Application> {
    const lines = new LineReader();
    const isListening = lines.waitFor((line) => parseLine(line)?.event === "listening");
    const argv = [`${spec.binDir}/${name}`, ...options, "--json"];
    const process = await driver.exec(spec, {
      argv,
      ownDeadline: true,
      onOutput: (stream, chunk) => (stream === "stdout" ? lines.add(chunk) : undefined),
    });
    return new Application(`${name} on ${spec.machine}`, clock, process, isListening);
  }

  /** Resolves when the application serves. Throws when it ends before, with what it said. */
  async listening(wait: Wait): Promise<void> {
    const endedEarly = this.ended.then((result) => {
      throw new VnflabError("VNF_MACHINE_FAILED", `${this.title} ended with exit code ${result.exitCode}`, {
        log: { file: "standard error", lines: result.said },
      });
    });
    await this.within(Promise.race([this.isListening, endedEarly]), "is not listening", wait);
  }

  /** Waits for its end. */
  async result(wait: Wait): Promise<ApplicationResult> {
    return this.within(this.ended, "has not ended", wait);
  }

  get isRunning(): boolean {
    return this.running;
  }

  /** Ends it without a word to anybody, as a crash does. */
  async kill(): Promise<void> {
    if (this.running) await this.process.signal("SIGKILL");
    const never = new AbortController().signal;
    await this.within(this.ended, "does not end", { deadlineMs: STOP_GRACE_MS, signal: never });
  }

  /** Asks it to stop, and by and by makes it. */
  async stop(): Promise<ApplicationResult> {
    const never = new AbortController().signal;
    for (const name of ["SIGTERM", "SIGKILL"] as const) {
      if (!this.running) break;
      await this.process.signal(name);
      const waited = this.within(this.ended, "does not stop", { deadlineMs: STOP_GRACE_MS, signal: never });
      await waited.catch(() => {});
    }
    return this.within(this.ended, "does not stop", { deadlineMs: STOP_GRACE_MS, signal: never });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.stop().catch(() => {});
  }

  private within<T>(work: Promise<T>, problem: string, { deadlineMs, signal }: Wait): Promise<T> {
    const onDeadline = () =>
      new VnflabError("VNF_GUEST_COMMAND", `${this.title} ${problem} after ${deadlineMs / 1000} s`);
    return withDeadline(this.clock, work, { deadlineMs, signal, onDeadline });
  }
}

/** Puts chunks together to lines and looks for one. */
class LineReader {
  private rest = "";
  private look: ((line: string) => void) | undefined;

  waitFor(wanted: (line: string) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.look = (line) => {
        if (wanted(line)) resolve();
      };
    });
  }

  add(chunk: string): void {
    const lines = (this.rest + chunk).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.look?.(line);
  }
}

function summarise({ stdout, stderr, exitCode }: RunResult): ApplicationResult {
  const figures = stdout
    .split("\n")
    .map(parseLine)
    .findLast((line) => line?.event === "result");
  const lines = stderr.trimEnd().split("\n");
  return { exitCode, figures, said: lines.slice(-SAID_LINES), saidFirst: lines.slice(0, SAID_LINES) };
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
