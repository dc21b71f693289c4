/** A shell on the user's own terminal, inside a machine. */
import { VnflabError } from "../model/error.js";
import type { EngineContext } from "./context.js";
import type { LabMachine } from "./lab.js";
import { attachConsole } from "./logs.js";

export interface ShellTerminal {
  /** The keyboard, raw, until its escape key; undefined when there is none. */
  keyboard(): { onInput(listener: (data: Uint8Array) => void): void; readonly ended: Promise<void> } | undefined;
  out(text: string): void;
  err(text: string): void;
}

/** Gives the shell's exit code; 0 when a console is left. */
export async function runShell(context: EngineContext, machine: LabMachine, io: ShellTerminal): Promise<number> {
  const { terminal, name } = machine;
  if (terminal.kind === "none") throw new VnflabError("VNF_UNSUPPORTED", `${name} has no shell: ${terminal.reason}`);
  if (terminal.kind === "program") {
    const { argv, cwd, env } = terminal;
    return context.hostOf(machine.spec).exec.runOnTerminal(argv, { cwd, env });
  }
  const keyboard = io.keyboard();
  if (!keyboard) throw new VnflabError("VNF_USAGE", "there is no terminal to type on");
  io.err(`console of ${name}; Ctrl-] leaves\n`);
  const place = { machine: name, log: machine.spec.consoleLog, socket: terminal.socket };
  await attachConsole(context, place, { ...keyboard, write: (data) => io.out(Buffer.from(data).toString()) });
  return 0;
}
