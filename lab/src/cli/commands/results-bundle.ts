import { resolve } from "node:path";
import { findRun } from "../../experiments/find-run.js";
import { bundleRun } from "../../experiments/results/bundle.js";
import { readRun } from "../../experiments/store.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

interface Options extends CommonOptions {
  readonly experiment?: string;
  readonly logs?: boolean;
}

export const registerResultsBundle: RegisterCommand = (group, io) => {
  const command = group
    .command("bundle")
    .description("a run in one file for others: to check, to measure again and to compare with, by its reproduce.sh")
    .argument("<run>", "name or folder of a run")
    .argument("[file]", "to write; RUN.tar.gz when absent")
    .option("--experiment <file>", "of an experiment that does not come with vnflab")
    .option("--logs", "with logs and captures, which may be large")
    .option(...JSON_OPTION)
    .action(async (name: string, file: string | undefined, options: Options) => {
      await withEngine(io, options, async (engine) => {
        const run = await readRun(engine.host.files, await findRun(engine, name));
        const bundle = await bundleRun(engine, run, resolve(file ?? `${run.manifest.run}.tar.gz`), {
          ...(options.experiment === undefined ? {} : { experimentFile: resolve(options.experiment) }),
          logs: options.logs ?? false,
        });
        const text = `${bundle.file}: ${bundle.files.length} files, ${Math.ceil(bundle.bytes / 1024)} KiB\n`;
        show(io, options, { schemaVersion: 1, ...bundle }, text);
      });
    });
  examples(command, ["vnflab results bundle my-run", "vnflab results bundle ./run to-show.tar.gz --logs"]);
};
