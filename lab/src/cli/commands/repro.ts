import { writeReport } from "../../experiments/report/write-report.js";
import { formatRun, isComplete, summariseRun } from "../../experiments/run/summary.js";
import { ANSWER_IS_NO, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { addRunOptions, type ExperimentRunOptions, runNamed } from "./experiment-run.js";

export const registerRepro: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("repro")
    .description("run an experiment and write its report; exit code 1 when a trial failed")
    .argument("<experiment>", "name of an experiment, or its file");
  addRunOptions(command).action(async (name: string, options: ExperimentRunOptions) => {
    await withEngine(io, options, async (engine) => {
      const run = await runNamed(engine, io, name, options);
      const { files } = await writeReport(engine.host, run);
      show(io, options, { ...summariseRun(run), files }, `${formatRun(run)}report: ${files[0]}\n`);
      if (!isComplete(run)) finish(ANSWER_IS_NO);
    });
  });
  examples(command, [
    "vnflab repro throughput-vs-cores",
    "vnflab repro latency-vs-load --quick --out latency",
    "vnflab repro bulk --quick --set machines=process",
  ]);
};
