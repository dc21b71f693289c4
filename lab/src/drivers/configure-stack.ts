import type { AllocatedMachine } from "../model/deployment.js";
import { renderStackConf, type StackConfOptions } from "../render/stack-conf.js";
import type { MachineDriver, MachineSpec } from "./machine-driver.js";

/** Where the stack's configuration file is, as the machine sees it. */
export function stackConfPath(spec: MachineSpec): string {
  return `${spec.workDir}/stack.conf`;
}

/** Writes the stack's configuration file into a machine. */
export async function configureStack(
  driver: MachineDriver,
  spec: MachineSpec,
  machine: AllocatedMachine,
  options: StackConfOptions = {},
): Promise<void> {
  await driver.putFile(spec, stackConfPath(spec), new TextEncoder().encode(renderStackConf(machine, options)));
}
