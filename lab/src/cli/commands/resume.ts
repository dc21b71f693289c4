import { pauseOrResume } from "../../engine/control.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { machinesOrAll } from "../names.js";

export const registerResume: RegisterCommand = (program, io) => {
  const command = program
    .command("resume")
    .description("let paused machines go on")
    .argument("<lab>", "name of the lab")
    .argument("[machines...]", "names of machines; all when absent")
    .option(...JSON_OPTION)
    .action(async (name: string, machines: string[], options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const done = await pauseOrResume(engine, name, "resume", machinesOrAll(machines));
        show(io, options, { schemaVersion: 1, lab: name, resumed: done }, `resumed: ${done.join(", ")}\n`);
      });
    });
  examples(command, ["vnflab resume two-vms vm1", "vnflab resume two-vms"]);
};
