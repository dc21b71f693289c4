/** One trial, whatever comes of it: its result is written down, also when it is that it failed, and why. */
import { join } from "node:path";
import type { Wait } from "../../engine/application.js";
import { checkEffective } from "../../engine/check-effective.js";
import type { Lab } from "../../engine/lab.js";
import { asVnflabError } from "../../model/error.js";
import type { Experiment } from "../../model/experiment/experiment.js";
import type { TrialResult } from "../../model/experiment/run-folder.js";
import type { Trial } from "../../model/experiment/trial.js";
import { measure } from "../measure.js";
import type { Results, Values, WorkloadPlan } from "../workloads.js";
import { TrialCapture } from "./capture-trial.js";
import { configureTrial, effectiveOf } from "./configure-trial.js";
import type { Effective } from "./effective.js";
import { hostLoad, readCpuTime } from "./host-load.js";
import { rateOf } from "./peak.js";
import { watchLoad } from "./telemetry.js";

export interface TrialRun {
  readonly experiment: Experiment;
  /** Of the run so far: peaks are found there. */
  readonly results: readonly TrialResult[];
  /** Of the run; logs of trials that fail are below it. */
  readonly folder: string;
  /** For each step, beside the time that the programs run. */
  readonly deadlineMs: number;
  /** Its first frames are kept. */
  readonly capture: boolean;
  readonly signal: AbortSignal;
}

interface Outcome {
  readonly values: Values;
  readonly problems: readonly string[];
  readonly effective: Effective;
  /** What the programs said, and counted. */
  readonly results?: Results;
}

/** Load goes on for so long at most until counters have been read: looking takes its time in a busy guest. */
const TO_LOOK_S = 60;
/** Lines of each log that are kept of a trial that failed. */
const LOG_LINES = 200;

/** Throws only when it is interrupted. */
export async function runTrial(lab: Lab, trial: Trial, run: TrialRun): Promise<TrialResult> {
  const { host } = lab.context;
  const startedAt = host.clock.wallTime().toISOString();
  const started = host.clock.now();
  const before = await readCpuTime(lab.context);
  const { values, problems, effective, results } = await attempt(lab, trial, run);
  const load = hostLoad(before, await readCpuTime(lab.context));
  const failed = problems.length > 0;
  if (failed) await keepLogs(lab, join(run.folder, "logs", `${trial.id}.log`), [...problems, ...said(results)]);
  const { id, cell, levels, repetition, telemetry } = trial;
  return {
    ...{ trial: id, cell, levels, repetition, telemetry, status: failed ? "failed" : "measured", startedAt },
    seconds: (host.clock.now() - started) / 1000,
    ...{ values: failed ? {} : values, problems, effective, host: load },
  };
}

/** A trial that this host cannot have. */
export function unavailable({ id, cell, levels, repetition, telemetry }: Trial, why: string, now: Date): TrialResult {
  return {
    ...{ trial: id, cell, levels, repetition, telemetry, status: "unavailable", startedAt: now.toISOString() },
    ...{ seconds: 0, values: {}, problems: [why], effective: {}, host: { stealPercent: 0, busyPercent: 0 } },
  };
}

/** A trial that did not even begin. */
export function failedBefore(trial: Trial, why: string, now: Date): TrialResult {
  return { ...unavailable(trial, why, now), status: "failed" };
}

async function attempt(lab: Lab, trial: Trial, run: TrialRun): Promise<Outcome> {
  run.signal.throwIfAborted();
  try {
    return await perform(lab, trial, run);
  } catch (thrown) {
    run.signal.throwIfAborted();
    const { message, log } = asVnflabError(thrown);
    const words = log ? `: ${log.lines.slice(-3).join(" / ")}` : "";
    return { values: {}, problems: [message + words], effective: {} };
  }
}

async function perform(lab: Lab, trial: Trial, run: TrialRun): Promise<Outcome> {
  const { conditions } = trial;
  const { warmupS, durationS } = run.experiment;
  const rate = rateOf(trial, run.results);
  const { workload, payload, connections } = conditions;
  const plan: WorkloadPlan = {
    ...{ workload, payload, connections, warmupS },
    durationS: durationS + (trial.telemetry ? TO_LOOK_S : 0),
    ...(rate === undefined ? {} : { ratePerS: rate }),
  };
  await checkEffective(lab);
  await using configured = await configureTrial(lab, trial);
  if (configured.problems.length > 0) return { values: {}, problems: configured.problems, effective: {} };
  const wait: Wait = { deadlineMs: run.deadlineMs + 1000 * (warmupS + plan.durationS), signal: run.signal };
  const { server } = configured.ends;
  const counters: { values?: Values | undefined } = {};
  const look = async (over: AbortSignal) => {
    counters.values = await watchLoad(server, lab.context.host.clock, { warmupS, durationS, over });
  };
  await using capture = new TrialCapture(lab, configured.ends.client);
  const { values, problems, results } = await measure(plan, configured.ends, wait, {
    before: () => (run.capture ? capture.begin(join(run.folder, "captures", `${trial.id}.pcapng`)) : Promise.resolve()),
    beside: trial.telemetry ? look : undefined,
  });
  const uncounted = trial.telemetry && !counters.values ? ["the load was over before the counters were read"] : [];
  const all = { ...values, ...counters.values };
  if (configured.kernel) return { values: all, problems, effective: configured.kernel, results };
  const words = { client: results.client.saidFirst, server: results.server.saidFirst };
  const { effective, problems: others } = effectiveOf(trial, words);
  return { values: all, problems: [...problems, ...uncounted, ...others], effective, results };
}

function said(results: Results | undefined): string[] {
  if (!results) return [];
  return (["client", "server"] as const).flatMap((end) => {
    const { exitCode, figures, said: last, saidFirst } = results[end];
    const words = [...new Set([...saidFirst, ...last])];
    return [`== the ${end}'s program, exit code ${exitCode}`, ...words, JSON.stringify(figures ?? {})];
  });
}

/** What is left to see of a trial that failed: also the consoles of its machines and the log of the switch. */
async function keepLogs({ record, context }: Lab, file: string, words: readonly string[]): Promise<void> {
  const logs = [
    [record.switch.logFile, context.hostOf(record.switch).files] as const,
    ...record.machines.map((spec) => [spec.consoleLog, context.hostOf(spec).files] as const),
  ];
  const parts = await Promise.all(
    logs.map(async ([log, files]) => [`== ${log}`, ...(await files.tail(log, LOG_LINES).catch(() => []))]),
  );
  await context.host.files.write(file, `${[...words, ...parts.flat()].join("\n")}\n`);
}
