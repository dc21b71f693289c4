/** QEMU of this host: where it is and what machines it can be. */
import type { Host } from "../../host/host.js";
import { VnflabError } from "../../model/error.js";

export const EMULATOR = "qemu-system-x86_64";

export async function findEmulator(host: Host): Promise<string> {
  const emulator = await host.exec.which(EMULATOR);
  if (emulator === undefined) throw new VnflabError("VNF_TOOL_MISSING", `${EMULATOR} is not installed, or not in PATH`);
  return emulator;
}

/** Names and aliases, as `-machine help` lists them. */
export async function readMachineTypes(host: Host, emulator: string): Promise<string[]> {
  const { stdout } = await host.exec.run([emulator, "-machine", "help"]);
  return stdout
    .split("\n")
    .slice(1)
    .flatMap((line) => /^(\S+)\s/.exec(line)?.[1] ?? []);
}
