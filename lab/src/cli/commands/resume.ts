import { pauseOrResume } from "../../engine/control.js";
import type { RegisterCommand } from "../command.js";
import { addMachinesCommand } from "../machines-command.js";

export const registerResume: RegisterCommand = (program, io) =>
  addMachinesCommand(program, io, {
    name: "resume",
    description: "let paused machines go on",
    done: "resumed",
    examples: ["vnflab resume two-vms vm1", "vnflab resume two-vms"],
    work: (engine, lab, machines) => pauseOrResume(engine, lab, "resume", machines),
  });
