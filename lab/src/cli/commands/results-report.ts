import type { Command } from "commander";
import { findRun } from "../../experiments/find-run.js";
import { trialWords, verdictWords } from "../../experiments/report/tables.js";
import { writeReport } from "../../experiments/report/write-report.js";
import { readRun } from "../../experiments/store.js";
import { type CommonOptions, JSON_OPTION, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";

/** Of the group `results`. */
export function registerResultsReport(group: Command, io: Io): void {
  const command = group
    .command("report")
    .description(
      "write the report of a run anew, from its results: report.html, report.md, report.json, data.csv and figures/ in the run's folder",
    )
    .argument("<run>", "name of a run, or its folder")
    .option(...JSON_OPTION)
    .action(async (name: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const { files } = engine.host;
        const run = await readRun(files, await findRun(engine, name));
        const written = await writeReport(engine.host, run);
        const { report } = written;
        const text = [...written.files.slice(0, 1), trialWords(report), verdictWords(report)];
        const data = { schemaVersion: 1, run: report.run, trials: report.trials, files: written.files };
        show(io, options, data, `${text.join("\n")}\n`);
      });
    });
  examples(command, [
    "vnflab results report throughput-vs-cores-20260105-100000-abcd",
    "vnflab results report ./my-run --json | jq -r '.files[0]'",
  ]);
}
