/** Time: the interface. Nothing else of the lab reads a clock or waits for time to pass. */

export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  wallTime(): Date;
  /** Resolves after the time, or rejects with the signal's reason. Use waitFor() to wait for something to happen. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}
