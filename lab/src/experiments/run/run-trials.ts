/** The trials of a run that have no result yet, one after the other. Each is in results.jsonl once, whatever happens. */
import type { EngineContext } from "../../engine/context.js";
import type { Lab } from "../../engine/lab.js";
import { asVnflabError } from "../../model/error.js";
import type { FactorName, Level } from "../../model/experiment/experiment.js";
import { formatLevel } from "../../model/experiment/factors.js";
import type { TrialResult } from "../../model/experiment/run-folder.js";
import type { Setup, Trial } from "../../model/experiment/trial.js";
import { costsOf, estimateSeconds } from "../plan/estimate.js";
import type { Store } from "../store.js";
import { failedBefore, runTrial, unavailable } from "./run-trial.js";
import { SetupLab, sameSetup } from "./setup-lab.js";
import { recordSetup } from "./setup-record.js";

export interface RunTrialsOptions {
  /** Trials that failed are run again. */
  readonly retryFailed: boolean;
  /** For each step of a trial. */
  readonly deadlineMs: number;
  /** The first frames of each trial are kept. */
  readonly capture: boolean;
  readonly signal: AbortSignal;
}

/** Throws when it is interrupted; what was measured by then is in the store. */
export async function runTrials(context: EngineContext, store: Store, options: RunTrialsOptions): Promise<void> {
  const { run, trials } = store.manifest;
  const { deadlineMs, signal } = options;
  const pending = pendingTrials(trials, store.results(), options.retryFailed);
  await using labs = new SetupLab(context, { run, deadlineMs, signal });
  await labs.removeLeftover();
  const runner = new Runner(context, store, labs, options);
  for (const [index, trial] of pending.entries()) {
    signal.throwIfAborted();
    await runner.trial(trial);
    tellProgress(context, store, pending.slice(index + 1));
  }
}

export function pendingTrials(
  trials: readonly Trial[],
  results: readonly TrialResult[],
  retryFailed: boolean,
): readonly Trial[] {
  const settled = new Set(
    results.filter(({ status }) => !(retryFailed && status === "failed")).map(({ trial }) => trial),
  );
  return trials.filter(({ id }) => !settled.has(id));
}

/** Starts of a setup in a row that may fail: one machine that hangs does not cost all trials, a broken host not a day. */
const MOST_STARTS = 2;

class Runner {
  /** Setup that has not come up at its last start, and why; after MOST_STARTS its other trials fail at once. */
  private down: { readonly setup: Setup; readonly why: string; readonly starts: number } | undefined;

  constructor(
    private readonly context: EngineContext,
    private readonly store: Store,
    private readonly labs: SetupLab,
    private readonly options: RunTrialsOptions,
  ) {}

  async trial(trial: Trial): Promise<void> {
    const { emit } = this.context;
    const title = titleOf(trial);
    emit({ type: "case-started", case: title });
    const result = await this.measure(trial);
    await this.store.append(result);
    const { status, seconds, problems, values } = result;
    const figures = Object.entries(values).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
    emit({
      ...{ type: "case-done", case: title, seconds, message: [...problems, ...figures].join("; ") },
      status: status === "measured" ? "passed" : status === "failed" ? "failed" : "skipped",
    });
  }

  private async measure(trial: Trial): Promise<TrialResult> {
    const { host } = this.context;
    const why = cannotBeHad(trial);
    if (why !== undefined) return unavailable(trial, why, host.clock.wallTime());
    const lab = await this.lab(trial);
    if (typeof lab === "string") return failedBefore(trial, lab, host.clock.wallTime());
    const { experiment } = this.store.manifest;
    const { folder } = this.store;
    return runTrial(lab, trial, { experiment, folder, results: this.store.results(), ...this.options });
  }

  /** The lab, or why there is none. */
  private async lab({ setup }: Trial): Promise<Lab | string> {
    const down = this.down && sameSetup(this.down.setup, setup) ? this.down : undefined;
    if (down?.starts === MOST_STARTS) return down.why;
    try {
      const { lab, isNew } = await this.labs.for(setup);
      if (isNew) await this.store.addSetup(await recordSetup(lab, setup));
      this.down = undefined;
      return lab;
    } catch (thrown) {
      this.options.signal.throwIfAborted();
      const why = `the lab does not come up: ${asVnflabError(thrown).message}`;
      this.down = { setup, why, starts: (down?.starts ?? 0) + 1 };
      return why;
    }
  }
}

function cannotBeHad({ conditions, setup }: Trial): string | undefined {
  const isKernel = conditions.stack === "kernel" && setup.machines === "process";
  return isKernel ? "a process has no kernel of its own; run it with virtual machines" : undefined;
}

function titleOf({ levels, repetition, telemetry }: Trial): string {
  const words = Object.entries(levels).map(([name, level]) => `${name} ${word(name as FactorName, level)}`);
  return [...words, telemetry ? "counters" : `repetition ${repetition}`].join(", ");
}

function word(name: FactorName, level: Level): string {
  return formatLevel(name, level);
}

function tellProgress({ emit }: EngineContext, { manifest, results }: Store, left: readonly Trial[]): void {
  if (left.length === 0) return;
  const { experiment, trials } = manifest;
  const known = costsOf(trials, results(), experiment);
  const secondsLeft = Math.round(estimateSeconds(left, experiment, known));
  emit({ type: "progress", done: trials.length - left.length, of: trials.length, secondsLeft });
}
