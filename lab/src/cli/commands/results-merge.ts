import { findRun } from "../../experiments/find-run.js";
import { mergeRuns } from "../../experiments/results/merge.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

interface Options extends CommonOptions {
  readonly allowOtherHost?: boolean;
}

export const registerResultsMerge: RegisterCommand = (group, io) => {
  const command = group
    .command("merge")
    .description("one run of several parts: shards of several hosts, or halves of an interrupted one")
    .argument("<out>", "folder of the new run")
    .argument("<runs...>", "names or folders of the parts")
    .option("--allow-other-host", "also when the parts were made on hosts that are not alike")
    .option(...JSON_OPTION)
    .action(async (out: string, names: string[], options: Options) => {
      await withEngine(io, options, async (engine) => {
        const folders: string[] = [];
        for (const name of names) folders.push(await findRun(engine, name));
        const allowOtherHost = options.allowOtherHost ?? false;
        const { folder, manifest, results } = await mergeRuns(engine.host.files, out, folders, { allowOtherHost });
        const { run, trials, parts } = manifest;
        const counts = { trials: trials.length, results: results.length };
        const text = `${folder}: ${counts.results} results of ${counts.trials} trials\n`;
        show(io, options, { schemaVersion: 1, run, folder, ...counts, parts }, text);
      });
    });
  examples(command, ["vnflab results merge whole first-half second-half"]);
};
