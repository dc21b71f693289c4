import { down } from "../../engine/down.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerDown: RegisterCommand = (program, io) => {
  const command = program
    .command("down")
    .description("stop a lab and remove all of it; its file is not needed")
    .argument("<lab>", "name of the lab")
    .option(...JSON_OPTION)
    .action(async (lab: string, options: CommonOptions) => {
      await withEngine(io, options, (engine) => down(engine, lab));
      show(io, options, { schemaVersion: 1, lab, removed: true }, `${lab} is down\n`);
    });
  examples(command, ["vnflab down two-vms"]);
};
