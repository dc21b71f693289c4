/** The JSON lines of the applications. */

export type Result = Readonly<Record<string, unknown>>;

export interface LatencyUs {
  p50: number;
  p99: number;
  p999: number;
}

/** The result among a program's output, undefined when it has none. */
export function findResult(stdout: string): Result | undefined {
  for (const line of stdout.split("\n")) {
    if (!line.startsWith("{")) continue;
    const event = JSON.parse(line) as Result;
    if (event.event === "result") return event;
  }
  return undefined;
}

export function field(result: Result, name: string): number {
  const value = result[name];
  if (typeof value !== "number") throw new Error(`${String(result.app)} tells no ${name}`);
  return value;
}

/** A member `{"p50":..,"p99":..,"p999":..}`, of nanoseconds when it takes 1000 of them for a microsecond. */
export function latencyUs(result: Result, name: string, perUs = 1000): LatencyUs {
  const all = (result[name] ?? {}) as Result;
  const us = (quantile: string) => field({ ...all, app: result.app }, quantile) / perUs;
  return { p50: us("p50"), p99: us("p99"), p999: us("p999") };
}
