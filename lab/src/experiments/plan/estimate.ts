/** How long trials take. */
import type { Experiment, MachineKind } from "../../model/experiment/experiment.js";
import type { TrialResult } from "../../model/experiment/run-folder.js";
import type { Trial } from "../../model/experiment/trial.js";
import { setupsOfTrials } from "./plan-trials.js";

/** Seconds besides warm-up and duration. */
export interface Costs {
  /** To bring a lab up and down, once for each setup. */
  readonly up: number;
  /** Stacks configured, programs started and stopped. */
  readonly trial: number;
  /** The kernel's besides: it gets the card, and gives it back. */
  readonly kernel: number;
}

/** What they were on the two-core hosts of the project's CI; a run that is under way knows better. */
export const USUAL_COSTS: Readonly<Record<MachineKind, Costs>> = {
  process: { up: 4, trial: 1.5, kernel: 0 },
  vm: { up: 20, trial: 5, kernel: 2 },
};

/** Seconds for all of them one after the other, their setups included. */
export function estimateSeconds(
  trials: readonly Trial[],
  experiment: Pick<Experiment, "machines" | "warmupS" | "durationS">,
  known: Costs = USUAL_COSTS[experiment.machines],
): number {
  const setups = setupsOfTrials(trials).length * known.up;
  return trials.reduce((sum, trial) => sum + secondsOf(trial, experiment, known), setups);
}

function secondsOf({ conditions, setup }: Trial, { warmupS, durationS }: Times, costs: Costs): number {
  const isKernel = conditions.stack === "kernel";
  // Said at once, and not tried.
  if (isKernel && setup.machines === "process") return 0;
  return warmupS + durationS + costs.trial + (isKernel ? costs.kernel : 0);
}

type Times = Pick<Experiment, "warmupS" | "durationS">;

/** What trials cost beside warm-up and duration in a run that is under way; the usual for what it has not had yet. */
export function costsOf(
  trials: readonly Trial[],
  results: readonly Pick<TrialResult, "trial" | "seconds" | "status">[],
  experiment: Pick<Experiment, "machines" | "warmupS" | "durationS">,
): Costs {
  const usual = USUAL_COSTS[experiment.machines];
  const byId = new Map(trials.map((trial) => [trial.id, trial]));
  const extra = (stack: string): number | undefined => {
    const seconds = results
      .filter(({ trial, status }) => status === "measured" && byId.get(trial)?.conditions.stack === stack)
      .map((result) => Math.max(0, result.seconds - experiment.warmupS - experiment.durationS));
    return seconds.length === 0 ? undefined : seconds.reduce((sum, one) => sum + one, 0) / seconds.length;
  };
  const trial = extra("libmtcp") ?? usual.trial;
  const kernel = extra("kernel");
  return { up: usual.up, trial, kernel: kernel === undefined ? usual.kernel : Math.max(0, kernel - trial) };
}
