/** What the driver needs of a switch that speaks the BESS protocol; bess-client-control.ts is the real one. */
import type { PortState, SwitchPortSpec } from "../switch-driver.js";

export interface BessControl extends AsyncDisposable {
  version(): Promise<string>;
  /** Makes the ports and forwards between those of each link, on one worker on this core. */
  forward(ports: readonly SwitchPortSpec[], core: number): Promise<void>;
  portState(name: string): Promise<PortState>;
}

export type BessConnector = (
  address: string,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
) => Promise<BessControl>;
