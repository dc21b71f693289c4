import { reset } from "../../engine/control.js";
import type { RegisterCommand } from "../command.js";
import { addMachinesCommand } from "../machines-command.js";

export const registerReset: RegisterCommand = (program, io) =>
  addMachinesCommand(program, io, {
    name: "reset",
    description:
      "press the reset button of machines and wait until they are ready again; what they had in memory is lost",
    done: "reset",
    examples: ["vnflab reset two-vms vm1"],
    work: (engine, lab, machines) => reset(engine, lab, machines, io.interrupted),
  });
