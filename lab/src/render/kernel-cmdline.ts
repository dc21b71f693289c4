/** The kernel command line of a VM: what the image wants, then what its init is told about this machine. */
import type { AllocatedMachine } from "../model/deployment.js";

const HUGEPAGE_MIB = 2;

/**
 * `tscKhz`: the rate of the counter that the guest reads its time from. An emulated machine passes the host's counter
 * through, and a guest that must measure its rate while the host is busy gets it wrong, by a factor of two and more.
 */
export function renderKernelCmdline(imageArgs: string, machine: AllocatedMachine, tscKhz?: number): string {
  const hugepages = Math.ceil(machine.hugepagesMib / HUGEPAGE_MIB);
  const own = `vnflab.hostname=${machine.name} vnflab.hugepages=${hugepages} vnflab.uio=auto`;
  return `${imageArgs} ${tscKhz === undefined ? "" : `tsc_early_khz=${tscKhz} `}${own}`.trim();
}
