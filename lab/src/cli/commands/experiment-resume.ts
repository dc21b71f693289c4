import { findRun } from "../../experiments/find-run.js";
import { resumeRun } from "../../experiments/run/run-experiment.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, withEngine } from "../command.js";
import { examples } from "../help.js";
import { wholeNumber } from "../names.js";
import { showRun } from "./experiment-run.js";

interface Options extends CommonOptions {
  readonly retryFailed?: boolean;
  readonly deadline: number;
}

export const registerExperimentResume: RegisterCommand = (group, io, finish) => {
  const command = group
    .command("resume")
    .description("measure the trials of a run that have no result yet; exit code 1 when one failed")
    .argument("<run>", "name of a run that was interrupted, or its folder")
    .option("--retry-failed", "those that failed as well")
    .option("--deadline <seconds>", "for each step of a trial", wholeNumber, 120)
    .option(...JSON_OPTION)
    .action(async (name: string, options: Options) => {
      await withEngine(io, options, async (engine) => {
        const { retryFailed = false, deadline } = options;
        const run = await resumeRun(engine, await findRun(engine, name), {
          ...{ retryFailed, deadlineMs: deadline * 1000, signal: io.interrupted },
        });
        finish(showRun(io, options, run));
      });
    });
  examples(command, ["vnflab experiment resume bulk-run", "vnflab experiment resume bulk-run --retry-failed"]);
};
