/** Waiting for something to happen: a probe asked again and again until it says yes or the deadline passes. */
import type { Clock } from "./clock.js";

/** For what nobody can break off. */
export const NEVER: AbortSignal = new AbortController().signal;

export type Probed<T> =
  | { readonly reached: true; readonly value: T }
  | { readonly reached: false; readonly lastSeen: string };

export interface WaitOptions {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Pause between two looks; it doubles up to ten times itself. Default 20. */
  readonly intervalMs?: number;
  /** Makes the error when the deadline has passed, from what was seen last. */
  readonly onDeadline: (lastSeen: string) => Error | Promise<Error>;
}

/** Resolves with what the probe found; rejects with the deadline's error, the signal's reason, or what a probe threw. */
export async function waitFor<T>(
  clock: Clock,
  probe: (signal: AbortSignal) => Promise<Probed<T>>,
  options: WaitOptions,
): Promise<T> {
  const first = options.intervalMs ?? 20;
  const end = clock.now() + options.deadlineMs;
  for (let interval = first; ; interval = Math.min(interval * 2, first * 10)) {
    options.signal.throwIfAborted();
    const found = await probe(options.signal);
    if (found.reached) return found.value;
    if (clock.now() >= end) throw await options.onDeadline(found.lastSeen);
    await clock.delay(interval, options.signal);
  }
}

/** The promise's outcome, or the deadline's error, or the signal's reason, whichever is first. */
export async function withDeadline<T>(
  clock: Clock,
  work: Promise<T>,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal; readonly onDeadline: () => Error },
): Promise<T> {
  const settled = new AbortController();
  const late = async (): Promise<never> => {
    await clock.delay(options.deadlineMs, AbortSignal.any([settled.signal, options.signal]));
    throw options.onDeadline();
  };
  try {
    return await Promise.race([work, late()]);
  } finally {
    settled.abort();
  }
}
