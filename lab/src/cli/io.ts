/** What a command may do to its terminal, and what ends it. Tests give their own. */
import type { EngineContext } from "../engine/context.js";
import type { Emit } from "../engine/events.js";

export interface Io {
  /** Data. */
  out(text: string): void;
  /** Progress and errors. */
  err(text: string): void;
  /** Aborts, with VNF_INTERRUPTED as reason, on SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal;
  openEngine(emit: Emit): Promise<EngineContext & AsyncDisposable>;
  /** Everything on standard input, when something is piped in. */
  readInput(): Promise<Uint8Array | undefined>;
  /** The keyboard, raw, until the escape key; undefined when there is none. */
  keyboard(): Keyboard | undefined;
}

export interface Keyboard {
  onInput(listener: (data: Uint8Array) => void): void;
  readonly ended: Promise<void>;
}
