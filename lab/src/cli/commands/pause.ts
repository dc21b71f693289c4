import { pauseOrResume } from "../../engine/control.js";
import type { RegisterCommand } from "../command.js";
import { addMachinesCommand } from "../machines-command.js";

export const registerPause: RegisterCommand = (program, io) =>
  addMachinesCommand(program, io, {
    name: "pause",
    description: "stop the processors of machines; their memory, connections and ports stay as they are",
    done: "paused",
    examples: ["vnflab pause two-vms vm1", "vnflab pause two-vms"],
    work: (engine, lab, machines) => pauseOrResume(engine, lab, "pause", machines),
  });
