import { type RegisterCommand, withEngine } from "../command.js";
import { examples } from "../help.js";
import { addRunOptions, type ExperimentRunOptions, runNamed, showRun } from "./experiment-run.js";

export const registerRepro: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("repro")
    .description("run an experiment and write its report; exit code 1 when a trial failed")
    .argument("<name>", "of an experiment, or a file");
  addRunOptions(command).action(async (name: string, options: ExperimentRunOptions) => {
    await withEngine(io, options, async (engine) => {
      finish(showRun(io, options, await runNamed(engine, io, name, options)));
    });
  });
  examples(command, [
    "vnflab repro throughput-vs-cores",
    "vnflab repro latency-vs-load --quick --out latency",
    "vnflab repro bulk --quick --set machines=process",
  ]);
};
