/** What the driver needs of a switch that speaks the BESS protocol; bess-client-control.ts is the real one. */
import type { ImpairModel } from "../../model/topology.js";
import type { CapturePoint, LinkState, PortState, SwitchSpec } from "../switch-driver.js";

/** What is to be wired: ports of each link, on one worker on this core. */
export type Wiring = Pick<SwitchSpec, "kind" | "links" | "ports" | "core">;

export interface BessControl extends AsyncDisposable {
  version(): Promise<string>;
  /** Makes the ports and forwards between those of each link. */
  forward(wiring: Wiring): Promise<void>;
  /** Of all these ports, which are those of one link in their order. */
  impair(ports: readonly string[], impair: ImpairModel | undefined): Promise<void>;
  impairment(ports: readonly string[]): Promise<Omit<LinkState, "link">>;
  portState(name: string): Promise<PortState>;
  /** Frames at these ports go to the pipe, which is being read, until endCapture() with the same name. */
  beginCapture(fifo: string, name: string, points: readonly CapturePoint[]): Promise<void>;
  endCapture(name: string): Promise<void>;
}

export type BessConnector = (
  address: string,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
) => Promise<BessControl>;
