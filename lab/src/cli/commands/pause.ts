import { pauseOrResume } from "../../engine/control.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { machinesOrAll } from "../names.js";

export const registerPause: RegisterCommand = (program, io) => {
  const command = program
    .command("pause")
    .description("stop the processors of machines; their memory, connections and ports stay as they are")
    .argument("<lab>", "name of the lab")
    .argument("[machines...]", "names of machines; all when absent")
    .option(...JSON_OPTION)
    .action(async (name: string, machines: string[], options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const done = await pauseOrResume(engine, name, "pause", machinesOrAll(machines));
        show(io, options, { schemaVersion: 1, lab: name, paused: done }, `paused: ${done.join(", ")}\n`);
      });
    });
  examples(command, ["vnflab pause two-vms vm1", "vnflab pause two-vms"]);
};
