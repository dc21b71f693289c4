import type { Command } from "commander";
import type { EngineContext } from "../../engine/context.js";
import { formatAge } from "../../engine/duration.js";
import { loadExperiment } from "../../experiments/load-experiment.js";
import { estimateSeconds } from "../../experiments/plan/estimate.js";
import { planTrials } from "../../experiments/plan/plan-trials.js";
import { runExperiment } from "../../experiments/run/run-experiment.js";
import { formatRun, isComplete, summariseRun } from "../../experiments/run/summary.js";
import type { Run } from "../../model/experiment/run-folder.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";
import { addPlanOptions, type PlanFlags, planOptionsOf } from "../plan-options.js";
import { addTrialOptions, type TrialFlags, trialOptionsOf } from "../trial-options.js";

export interface ExperimentRunOptions extends CommonOptions, PlanFlags, TrialFlags {
  readonly out?: string;
}

export const registerExperimentRun: RegisterCommand = (group, io, finish) => {
  const command = group
    .command("run")
    .description("measure all trials of an experiment; exit code 1 when one failed")
    .argument("<experiment>", "name of an experiment, or its file");
  addRunOptions(command).action(async (name: string, options: ExperimentRunOptions) => {
    await withEngine(io, options, async (engine) => {
      finish(showRun(io, options, await runNamed(engine, io, name, options)));
    });
  });
  examples(command, [
    "vnflab experiment run throughput-vs-cores --quick",
    "vnflab experiment run bulk --only workers=1,2 --repeat 3 --set machines=process --out bulk-run",
    "vnflab experiment run latency-vs-load --shard 1/2 --out first-half",
  ]);
};

/** `experiment run` and `repro` have them. */
export function addRunOptions(command: Command): Command {
  addPlanOptions(command).option("--out <folder>", "for the run; below the state folder when absent");
  return addTrialOptions(command).option(...JSON_OPTION);
}

/** Tells what comes, and how long it takes, before it begins. */
export async function runNamed(
  engine: EngineContext,
  io: Io,
  name: string,
  options: ExperimentRunOptions,
): Promise<Run> {
  const choice = planOptionsOf(options);
  const { experiment, trials } = planTrials(await loadExperiment(engine, name), choice);
  const takes = formatAge(1000 * estimateSeconds(trials, experiment));
  engine.emit({ type: "note", text: `${experiment.name}: ${trials.length} trials, about ${takes}` });
  return runExperiment(engine, {
    ...{ experiment, trials, options: choice, ...trialOptionsOf(io, options) },
    ...(options.out ? { folder: options.out } : {}),
    onBegin: ({ folder, manifest: { fitness } }) => {
      for (const text of [`results go to ${folder}`, ...fitness.stamp]) engine.emit({ type: "note", text });
    },
  });
}

/** The exit code. */
export function showRun(io: Io, options: CommonOptions, run: Run): number {
  show(io, options, summariseRun(run), formatRun(run));
  return isComplete(run) ? 0 : ANSWER_IS_NO;
}
