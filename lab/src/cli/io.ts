/** What a command may do to its terminal, and what ends it. Tests give their own. */
import type { EngineContext } from "../engine/context.js";
import type { Emit } from "../engine/events.js";

export interface Io {
  /** Data. */
  out(text: string): void;
  /** Data that is no text. Resolves when there is room for more; false: nobody takes it any more. */
  outBytes(bytes: Uint8Array): Promise<boolean>;
  /** Progress and errors. */
  err(text: string): void;
  /** Aborts, with VNF_INTERRUPTED as reason, on SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal;
  readonly terminal: TerminalFacts;
  /** Standard output is a terminal as well. */
  readonly outIsTerminal: boolean;
  openEngine(emit: Emit): Promise<EngineContext & AsyncDisposable>;
  /** Everything on standard input, when something is piped in. */
  readInput(): Promise<Uint8Array | undefined>;
  /** Resolves when somebody has pressed Enter; undefined when there is no terminal to press it on. */
  enter(): Promise<void> | undefined;
  /** The keyboard, raw, until the escape key; undefined when there is none. */
  keyboard(): Keyboard | undefined;
}

/** What standard error is, and the time for progress. */
export interface TerminalFacts {
  /** Somebody sits at it and can press keys. */
  readonly interactive: boolean;
  /** Lines that were written can be written over. */
  readonly redraws: boolean;
  readonly color: boolean;
  readonly columns: number;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Until it is disposed. */
  every(ms: number, tick: () => void): Disposable;
}

export interface Keyboard {
  onInput(listener: (data: Uint8Array) => void): void;
  readonly ended: Promise<void>;
}
