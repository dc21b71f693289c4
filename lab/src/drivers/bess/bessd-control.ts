/** What the driver needs of a bessd that it shares with others; bess-client-control.ts is the real one. */
import type { BessControl, Wiring } from "./bess-control.js";

export interface BessdControl
  extends AsyncDisposable,
    Pick<BessControl, "version" | "portState" | "beginCapture" | "endCapture"> {
  /** What carries the mark. */
  names(mark: string): Promise<{ readonly ports: readonly string[]; readonly modules: readonly string[] }>;
  /** A worker number that nobody has. */
  freeWorker(): Promise<number>;
  /** Makes the ports and forwards between those of each link, under marked names, on a worker of this number. */
  attach(mark: string, wiring: Wiring, wid: number): Promise<void>;
  /** Removes what carries the mark, and the worker. */
  detach(mark: string, wid: number): Promise<void>;
}

export type BessdConnector = (
  address: string,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal },
) => Promise<BessdControl>;
