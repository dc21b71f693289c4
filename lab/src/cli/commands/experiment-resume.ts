import { findRun } from "../../experiments/find-run.js";
import { resumeRun } from "../../experiments/run/run-experiment.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, withEngine } from "../command.js";
import { examples } from "../help.js";
import { addTrialOptions, type TrialFlags, trialOptionsOf } from "../trial-options.js";
import { showRun } from "./experiment-run.js";

interface Options extends CommonOptions, TrialFlags {
  readonly retryFailed?: boolean;
}

export const registerExperimentResume: RegisterCommand = (group, io, finish) => {
  const command = group
    .command("resume")
    .description("measure the trials of a run that have no result yet; exit code 1 when one failed")
    .argument("<run>", "name of a run that was interrupted, or its folder")
    .option("--retry-failed", "those that failed as well");
  addTrialOptions(command)
    .option(...JSON_OPTION)
    .action(async (name: string, options: Options) => {
      await withEngine(io, options, async (engine) => {
        const { retryFailed = false } = options;
        const folder = await findRun(engine, name);
        finish(showRun(io, options, await resumeRun(engine, folder, { ...trialOptionsOf(io, options), retryFailed })));
      });
    });
  examples(command, ["vnflab experiment resume bulk-run", "vnflab experiment resume bulk-run --retry-failed"]);
};
