/** What the engine works with. compose.ts makes the real one; tests make one of fakes. */
import type { MachineDriver, MachineSpec } from "../drivers/machine-driver.js";
import type { SwitchDriver } from "../drivers/switch-driver.js";
import type { Guardian } from "../host/guardian.js";
import type { Host } from "../host/host.js";
import type { LabHost } from "../host/lab-host.js";
import type { Layout } from "../host/layout.js";
import type { AcceleratorVerdict, AcceleratorWish } from "../model/accelerator.js";
import type { Place } from "../model/topology.js";
import type { HostFacts } from "../plan/allocate.js";
import type { Emit } from "./events.js";

/** What tells where a thing of a lab is; every spec does. */
export interface Placed {
  readonly lab: string;
  readonly place: Place;
}

export interface EngineContext {
  /** Where vnflab itself runs: lab files, records, journals, results. */
  readonly host: Host;
  readonly layout: Layout;
  /** A place as such, to look at before a lab is there; the engine's own host is one. */
  hostAt(place: Place): Promise<Host>;
  /** Where something of a lab runs: its processes, sockets and logs. */
  hostOf(placed: Placed): LabHost;
  switchDriver(placed: Placed): SwitchDriver;
  /** The same driver for the same kind at the same place. */
  machineDriver(spec: Placed & Pick<MachineSpec, "kind">): MachineDriver;
  accelerator(wish: AcceleratorWish, place: Place): Promise<AcceleratorVerdict>;
  facts(place: Place): Promise<HostFacts>;
  /** Runs a program of Node's when this process ends, however it ends, unless the guardian is disposed before. */
  guard(argv: readonly string[]): Promise<Guardian>;
  readonly emit: Emit;
}
