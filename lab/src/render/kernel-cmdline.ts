/** The kernel command line of a VM: what the image wants, then what its init is told about this machine. */
import type { AllocatedMachine } from "../model/deployment.js";

const HUGEPAGE_MIB = 2;

export function renderKernelCmdline(imageArgs: string, machine: AllocatedMachine): string {
  const hugepages = Math.ceil(machine.hugepagesMib / HUGEPAGE_MIB);
  return `${imageArgs} vnflab.hostname=${machine.name} vnflab.hugepages=${hugepages} vnflab.uio=auto`.trim();
}
