/** Runs cases over the pairs of a lab's machines, one after the other. */
import { join } from "node:path";
import type { Lab, LabMachine } from "../engine/lab.js";
import { asVnflabError, VnflabError } from "../model/error.js";
import { didYouMean } from "../model/suggest.js";
import { type Amounts, type CaseContext, type Outcome, QUICK, type TestCase } from "./case.js";
import { suites } from "./registry.js";
import type { CaseReport, SuiteReport } from "./report.js";

export interface SuiteOptions {
  readonly amounts: Amounts;
  /** Names of suites or ids of cases; absent: all. */
  readonly only?: readonly string[];
  /** Where report.json and artefacts go; absent: below the state folder. */
  readonly folder?: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

type Verdict = Pick<CaseReport, "status" | "figures" | "message" | "artefacts">;

export async function runSuites(lab: Lab, options: SuiteOptions): Promise<SuiteReport> {
  const { host, layout } = lab.context;
  const startedAt = host.clock.wallTime().toISOString();
  const stamp = startedAt.replaceAll(":", "").replace(/\..*/, "");
  const folder = options.folder ?? join(layout.stateRoot, "results", `${lab.record.lab}-${stamp}`);
  const cases: CaseReport[] = [];
  for (const testCase of chooseCases(options.only)) {
    for (const [from, to] of pairs(lab.machines)) {
      options.signal.throwIfAborted();
      cases.push(await runCase(lab, testCase, from, to, { ...options, folder }));
    }
  }
  const count = (status: CaseReport["status"]) => cases.filter((one) => one.status === status).length;
  const report: SuiteReport = {
    schemaVersion: 1,
    lab: lab.record.lab,
    startedAt,
    oversubscribed: lab.record.deployment.oversubscribed,
    folder,
    cases,
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
  await host.files.write(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** Throws VNF_USAGE when there is no suite or case of such a name. */
export function chooseCases(only: readonly string[] | undefined): TestCase[] {
  const all = Object.values(suites).flat();
  if (!only) return all;
  const known = [...Object.keys(suites), ...all.map(({ id }) => id)];
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const hint = `There are ${known.join(", ")}.`;
    throw new VnflabError("VNF_USAGE", `no suite or case "${unknown}"${didYouMean(unknown, known)}`, { hint });
  }
  return all.filter(({ id }) => only.includes(id) || only.includes(id.split(".")[0] ?? ""));
}

/**
 * Each machine with the next one, both ways. What forwards is on the way and no end. A lone machine is paired with
 * itself, for the report to say so.
 */
function pairs(machines: readonly LabMachine[]): [LabMachine, LabMachine][] {
  const ends = machines.filter(({ allocated }) => !allocated.forwarding);
  const chosen = ends.length > 1 ? ends : machines;
  const [only] = chosen;
  if (only && chosen.length === 1) return [[only, only]];
  return chosen.slice(1).flatMap((to, index): [LabMachine, LabMachine][] => {
    const from = chosen[index] as LabMachine;
    return [
      [from, to],
      [to, from],
    ];
  });
}

async function runCase(
  lab: Lab,
  testCase: TestCase,
  from: LabMachine,
  to: LabMachine,
  options: SuiteOptions & { readonly folder: string },
): Promise<CaseReport> {
  const { clock } = lab.context.host;
  const title = `${testCase.id} ${from.name} -> ${to.name}`;
  const { deadlineMs, signal } = options;
  const context: CaseContext = { lab, from, to, amounts: options.amounts, wait: { deadlineMs, signal } };
  lab.context.emit({ type: "case-started", case: title });
  const started = clock.now();
  const reason = from === to ? "the lab has only one machine" : testCase.notFor?.(context);
  const attempted = reason === undefined ? await attempt(testCase, context) : skipped(reason);
  const seconds = (clock.now() - started) / 1000;
  const folder = join(options.folder, fileName(title));
  const verdict = "problems" in attempted ? await judge(testCase, context, attempted, folder) : attempted;
  const told = verdict.message === undefined ? {} : { message: verdict.message };
  lab.context.emit({ type: "case-done", case: title, status: verdict.status, seconds, ...told });
  return { id: testCase.id, title: testCase.title, from: from.name, to: to.name, seconds, ...verdict };
}

function skipped(message: string): Verdict {
  return { status: "skipped", figures: {}, artefacts: [], message };
}

async function judge(
  testCase: TestCase,
  context: CaseContext,
  { problems, figures }: Outcome,
  folder: string,
): Promise<Verdict> {
  if (problems.length === 0) return { status: "passed", figures, artefacts: [] };
  const artefacts = await capture(testCase, context, folder);
  return { status: "failed", figures, artefacts, message: problems.join("; ") };
}

/** An interruption ends the run; everything else that is thrown is this case's failure. */
async function attempt(testCase: TestCase, context: CaseContext): Promise<Outcome> {
  try {
    return await testCase.run(context);
  } catch (thrown) {
    context.wait.signal.throwIfAborted();
    const error = asVnflabError(thrown);
    const words = error.log ? `: ${error.log.lines.slice(-3).join(" / ")}` : "";
    const { status, detail } = await context.lab.switchState();
    const dead = status === "running" ? [] : [`the switch is gone: ${detail}`];
    return { problems: [`${error.message}${words}`, ...dead], figures: {} };
  }
}

/**
 * Shows a failed case: the logs as they are now, and the frames of one more run with small amounts. Whatever that run
 * gives, the case has failed.
 */
async function capture(testCase: TestCase, context: CaseContext, folder: string): Promise<string[]> {
  const { lab, from, to } = context;
  const { files } = lab.context.host;
  const logs: [string, string][] = [
    ["switch.log", lab.record.switch.logFile],
    ...[from, to].map(({ name, spec }): [string, string] => [`${name}.console.log`, spec.consoleLog]),
  ];
  const kept: string[] = [];
  const keep = async (name: string, content: Uint8Array | undefined) => {
    if (!content || content.length === 0) return;
    await files.write(join(folder, name), content);
    kept.push(join(folder, name));
  };
  for (const [name, source] of logs) await keep(name, await files.readBytes(source));
  const captureOf = (machine: LabMachine) => `${machine.spec.workDir}/${machine.name}.pcap`;
  try {
    for (const machine of [from, to]) await machine.configureStack({ pcap: captureOf(machine) });
    await attempt(testCase, { ...context, amounts: QUICK });
    for (const machine of [from, to]) {
      await keep(`${machine.name}.pcap`, await machine.getFile(captureOf(machine)).catch(() => undefined));
    }
    for (const machine of [from, to]) await machine.configureStack();
  } catch (thrown) {
    context.wait.signal.throwIfAborted();
    lab.context.emit({ type: "note", text: `no capture of ${testCase.id}: ${asVnflabError(thrown).message}` });
  }
  return kept;
}

function fileName(title: string): string {
  return title.replaceAll(/[^A-Za-z0-9.]+/g, "-");
}
