/** What the engine works with. compose.ts makes the real one; tests make one of fakes. */
import type { MachineDriver, MachineSpec } from "../drivers/machine-driver.js";
import type { SwitchDriver } from "../drivers/switch-driver.js";
import type { Host } from "../host/host.js";
import type { Layout } from "../host/layout.js";
import type { AcceleratorVerdict, AcceleratorWish } from "../model/accelerator.js";
import type { HostFacts } from "../plan/allocate.js";
import type { Emit } from "./events.js";

export interface EngineContext {
  readonly host: Host;
  readonly layout: Layout;
  readonly switchDriver: SwitchDriver;
  machineDriver(kind: MachineSpec["kind"]): MachineDriver;
  accelerator(wish: AcceleratorWish): Promise<AcceleratorVerdict>;
  facts(): Promise<HostFacts>;
  readonly emit: Emit;
}
