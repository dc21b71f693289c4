import { restart } from "../../engine/restart.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";

export const registerRestart: RegisterCommand = (program, io) => {
  program
    .command("restart")
    .description("restart machines of a running lab, and wait until they are ready; the others are left alone")
    .argument("<lab>", "name of the lab")
    .argument("<machine...>", "names of machines")
    .option(...JSON_OPTION)
    .action(async (lab: string, machines: string[], options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        await restart(engine, lab, machines, io.interrupted);
        show(io, options, { schemaVersion: 1, lab, machines }, `${lab}: ${machines.join(", ")} restarted\n`);
      });
    });
};
