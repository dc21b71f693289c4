/** One case between two machines: may it run, does it pass, and what shows how it failed. */
import { join } from "node:path";
import type { Lab, LabMachine } from "../engine/lab.js";
import { asVnflabError } from "../model/error.js";
import { randomOf } from "../model/random.js";
import { type Amounts, type CaseContext, type Outcome, QUICK, type TestCase } from "./case.js";
import type { CaseReport } from "./report.js";

export interface RunOptions {
  readonly amounts: Amounts;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly seed: number;
  /** Where report.json and artefacts go. */
  readonly folder: string;
}

type Verdict = Pick<CaseReport, "status" | "figures" | "message" | "artefacts">;

/** `unusable`: why nothing can be said about these two machines any more. */
export async function runCase(
  lab: Lab,
  testCase: TestCase,
  [from, to]: readonly [LabMachine, LabMachine],
  round: number,
  unusable: string | undefined,
  options: RunOptions,
): Promise<CaseReport> {
  const { clock } = lab.context.host;
  const pair = `${from.name} -> ${to.name}`;
  const title = `${testCase.id} ${pair}${round > 1 ? ` (round ${round})` : ""}`;
  const { deadlineMs, signal, amounts, seed } = options;
  const random = randomOf(seed, testCase.id, pair, round);
  const context: CaseContext = { lab, from, to, amounts, wait: { deadlineMs, signal }, random };
  lab.context.emit({ type: "case-started", case: title });
  const started = clock.now();
  const attempted = await attempt(
    context,
    async () => (await obstacle(testCase, context, unusable)) ?? (await testCase.run(context)),
  );
  const seconds = (clock.now() - started) / 1000;
  const folder = join(options.folder, fileName(title));
  const verdict = "problems" in attempted ? await judge(testCase, context, attempted, folder) : attempted;
  const told = verdict.message === undefined ? {} : { message: verdict.message };
  lab.context.emit({ type: "case-done", case: title, status: verdict.status, seconds, ...told });
  return { id: testCase.id, title: testCase.title, from: from.name, to: to.name, round, seconds, ...verdict };
}

/** Why it does not run; undefined when it can. */
async function obstacle(
  testCase: TestCase,
  context: CaseContext,
  unusable: string | undefined,
): Promise<Verdict | undefined> {
  const notRun = (status: "skipped" | "blocked", message: string): Verdict => {
    return { status, message, figures: {}, artefacts: [] };
  };
  const skip = context.from === context.to ? "the lab has only one machine" : testCase.notFor?.(context);
  if (skip !== undefined) return notRun("skipped", skip);
  const blocked = unusable ?? (await whatDoesNotRun(context)) ?? (await testCase.blockedBy?.(context));
  return blocked === undefined ? undefined : notRun("blocked", blocked);
}

async function whatDoesNotRun({ lab, from, to }: CaseContext): Promise<string | undefined> {
  const sw = await lab.switchState();
  if (sw.status !== "running") return `the switch is gone: ${sw.detail}`;
  for (const machine of [from, to]) {
    const { status, detail, paused } = await machine.observe();
    if (status !== "running") return `${machine.name} does not run: ${detail}`;
    if (paused) return `${machine.name} is paused`;
  }
  return undefined;
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
async function attempt<T>(context: CaseContext, act: () => Promise<T>): Promise<T | Outcome> {
  try {
    return await act();
  } catch (thrown) {
    context.wait.signal.throwIfAborted();
    const error = asVnflabError(thrown);
    const words = error.log ? `: ${error.log.lines.slice(-3).join(" / ")}` : "";
    return { problems: [`${error.message}${words}`, ...(await whetherSwitchIsGone(context))], figures: {} };
  }
}

async function whetherSwitchIsGone({ lab }: CaseContext): Promise<string[]> {
  try {
    const { status, detail } = await lab.switchState();
    return status === "running" ? [] : [`the switch is gone: ${detail}`];
  } catch (thrown) {
    return [asVnflabError(thrown).message];
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
    const again = { ...context, amounts: QUICK };
    await attempt(again, () => testCase.run(again));
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
