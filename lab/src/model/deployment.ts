/** A topology with everything decided that the file left open: what the plan allocates and the drivers build from. */
import type { MachineModel, SwitchModel, Topology } from "./topology.js";

export interface AllocatedMachine extends MachineModel {
  readonly address: string;
  readonly mac: string;
  /** vhost-user socket of the switch's port for this machine. */
  readonly portSocket: string;
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
  readonly machines: readonly AllocatedMachine[];
  readonly deadlinesMs: Topology["deadlinesMs"];
  /** Set when cores are shared by what should have its own: figures are not comparable then. */
  readonly oversubscribed: boolean;
}
