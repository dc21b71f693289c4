/** The kernel command line of a VM: the console, and what the image's init is told. */
import type { AllocatedMachine } from "../model/deployment.js";

const HUGEPAGE_MIB = 2;

export function renderKernelCmdline(machine: AllocatedMachine): string {
  return [
    "console=ttyS0",
    "quiet",
    `vnflab.hostname=${machine.name}`,
    `vnflab.hugepages=${Math.ceil(machine.hugepagesMib / HUGEPAGE_MIB)}`,
    "vnflab.uio=auto",
  ].join(" ");
}
