import { reset } from "../../engine/control.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { machinesOrAll } from "../names.js";

export const registerReset: RegisterCommand = (program, io) => {
  const command = program
    .command("reset")
    .description(
      "press the reset button of machines and wait until they are ready again; what they had in memory is lost",
    )
    .argument("<lab>", "name of the lab")
    .argument("[machines...]", "names of machines; all when absent")
    .option(...JSON_OPTION)
    .action(async (name: string, machines: string[], options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const done = await reset(engine, name, machinesOrAll(machines), io.interrupted);
        show(io, options, { schemaVersion: 1, lab: name, reset: done }, `reset: ${done.join(", ")}\n`);
      });
    });
  examples(command, ["vnflab reset two-vms vm1"]);
};
