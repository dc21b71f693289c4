/** The kernel command line of a VM: what the image wants, then what its init is told about this machine. */
import { type AllocatedMachine, kernelNics, kernelRoutes } from "../model/deployment.js";

const HUGEPAGE_MIB = 2;

/**
 * `tscKhz`: the rate of the counter that the guest reads its time from. An emulated machine passes the host's counter
 * through, and a guest that must measure its rate while the host is busy gets it wrong, by a factor of two and more.
 */
export function renderKernelCmdline(imageArgs: string, machine: AllocatedMachine, tscKhz?: number): string {
  // Hugepages are DPDK's.
  const hugepages = machine.stack.kind === "kernel" ? 0 : Math.ceil(machine.hugepagesMib / HUGEPAGE_MIB);
  return [
    imageArgs,
    ...(tscKhz === undefined ? [] : [`tsc_early_khz=${tscKhz}`]),
    `vnflab.hostname=${machine.name}`,
    `vnflab.hugepages=${hugepages}`,
    "vnflab.uio=auto",
    ...kernelNics(machine).map(({ mac, address }) => `vnflab.kernel=${mac},${address}`),
    ...machine.aliases.map((alias) => `vnflab.alias=${alias}`),
    ...kernelRoutes(machine).map(({ to, via }) => `vnflab.route=${[to, ...via].join(",")}`),
    ...(machine.forwarding ? ["vnflab.forward=on"] : []),
  ]
    .join(" ")
    .trim();
}
