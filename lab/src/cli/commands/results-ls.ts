import { type RunSummary, summariseRuns, type UnreadableRun } from "../../experiments/results/list-runs.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerResultsLs: RegisterCommand = (group, io) => {
  const command = group
    .command("ls")
    .description("the runs below the state folder, the newest last")
    .option(...JSON_OPTION)
    .action(async (options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const runs = await summariseRuns(engine);
        const text = runs.length === 0 ? "no run\n" : `${formatTable([HEADER, ...runs.map(row)]).join("\n")}\n`;
        show(io, options, { schemaVersion: 1, runs }, text);
      });
    });
  examples(command, ["vnflab results ls", "vnflab results ls --json"]);
};

const HEADER = ["run", "experiment", "begun", "measured", "failed", "unavailable", "missing", ""];

function row(run: RunSummary | UnreadableRun): string[] {
  if ("problem" in run) return [run.run, "-", "-", "-", "-", "-", "-", run.problem];
  const counts = [`${run.measured}/${run.trials}`, String(run.failed), String(run.unavailable), String(run.missing)];
  return [run.run, run.experiment, run.createdAt.slice(0, 16).replace("T", " "), ...counts, ""];
}
