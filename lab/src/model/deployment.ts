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

export interface AllocatedMachine extends MachineModel {
  readonly nics: readonly AllocatedNic[];
  /** CPUs of the host that the stack runs on; empty for a VM, whose CPUs are its own. */
  readonly cores: readonly number[];
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
  readonly machines: readonly AllocatedMachine[];
  readonly deadlinesMs: Topology["deadlinesMs"];
  /** Set when cores are shared by what should have its own: figures are not comparable then. */
  readonly oversubscribed: boolean;
}
