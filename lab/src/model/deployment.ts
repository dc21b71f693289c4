/** A topology with everything decided that the file left open: what the plan allocates and the drivers build from. */
import type { LinkModel, MachineModel, NicModel, SwitchModel, Topology } from "./topology.js";

export interface AllocatedNic extends NicModel {
  readonly address: string;
  readonly mac: string;
  /** Name of its port at the switch: the machine's for the first NIC, `machine.1` for the second. */
  readonly port: string;
  /** vhost-user socket of that port. */
  readonly socket: string;
}

export interface AllocatedRoute {
  /** `a.b.c.d/len`; 0.0.0.0/0: everything else. */
  readonly to: string;
  /** Addresses of the next hops. */
  readonly via: readonly string[];
  /** Number of the NIC by which the first of them is reached. */
  readonly nic: number;
}

export interface AllocatedMachine extends MachineModel {
  readonly routes: readonly AllocatedRoute[];
  readonly nics: readonly AllocatedNic[];
  /** CPUs of the host that the stack runs on; empty for a VM, whose CPUs are its own. */
  readonly cores: readonly number[];
  /** CPUs of the host for the virtual ones, in order; empty when they are not pinned. */
  readonly vcpuPins: readonly number[];
  /** CPUs of the host for QEMU's own threads, beside pinned virtual CPUs; empty: wherever the kernel puts them. */
  readonly emulatorCpus: readonly number[];
  /** Its memory is of the host's hugepages. */
  readonly hostHugepages: boolean;
  /** DPDK's --file-prefix: one a process on a host. */
  readonly filePrefix: string;
}

export interface AllocatedSwitch extends SwitchModel {
  /** `unix:/path`: where the control protocol is served. */
  readonly address: string;
  readonly core: number;
  readonly filePrefix: string;
}

export interface Deployment {
  readonly lab: string;
  readonly stateDir: string;
  readonly runDir: string;
  readonly switch: AllocatedSwitch;
  readonly links: readonly LinkModel[];
  /** Its CPUs are its own. */
  readonly exclusive: boolean;
  readonly machines: readonly AllocatedMachine[];
  readonly deadlinesMs: Topology["deadlinesMs"];
  /** Set when cores are shared by what should have its own: figures are not comparable then. */
  readonly oversubscribed: boolean;
  /** How many cores are missing, and who has them. */
  readonly oversubscription?: string;
}

/** The NICs that the machine's kernel drives; DPDK has the others. The stack has the first NIC of a machine. */
export function kernelNics({ kind, stack, nics }: AllocatedMachine): readonly AllocatedNic[] {
  if (kind === "process") return [];
  return stack.kind === "kernel" ? nics : nics.slice(1);
}

/** Routes by the kernel's NICs; the others are the stack's. */
export function kernelRoutes(machine: AllocatedMachine): readonly AllocatedRoute[] {
  const own = kernelNics(machine);
  return machine.routes.filter(({ nic }) => own.some((candidate) => candidate === machine.nics[nic]));
}

export function stackRoutes(machine: AllocatedMachine): readonly AllocatedRoute[] {
  const kernels = kernelRoutes(machine);
  return machine.routes.filter((route) => !kernels.includes(route));
}
