import { formatChange, watchLab } from "../../engine/lab-changes.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, withEngine } from "../command.js";
import { examples } from "../help.js";

interface Options extends CommonOptions {
  readonly once?: boolean;
}

export const registerEvents: RegisterCommand = (program, io) => {
  const command = program
    .command("events")
    .description(
      "what happens to a lab: the steps of its journal, then changes of machines, links and switch, until Ctrl-C or until it is gone; with --json a line each",
    )
    .argument("<lab>", "name of the lab")
    .option("--once", "end after the journal so far and the present state")
    .option(...JSON_OPTION)
    .action(async (lab: string, options: Options) => {
      await withEngine(io, options, (engine) =>
        watchLab(engine, lab, {
          signal: io.interrupted,
          once: options.once ?? false,
          onChange: (change) => io.out(`${options.json ? JSON.stringify(change) : formatChange(change)}\n`),
        }),
      );
    });
  examples(command, ["vnflab events two-vms", "vnflab events two-vms --json --once"]);
};
