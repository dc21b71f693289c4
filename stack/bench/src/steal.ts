/** Time that the hypervisor gave to others while we measured, from the first line of /proc/stat. */

export interface CpuTimes {
  steal: number;
  /** Idle and waiting for a disk. */
  idle: number;
  total: number;
}

export const MOST_STEAL_PERCENT = 2;

/** Columns: user nice system idle iowait irq softirq steal (guest and guest_nice are part of user and nice). */
export function parseCpuTimes(procStat: string): CpuTimes {
  const line = /^cpu\s+(.*)$/m.exec(procStat)?.[1];
  const columns = (line ?? "").trim().split(/\s+/).map(Number).slice(0, 8);
  if (columns.length < 8 || columns.some(Number.isNaN)) throw new Error("no line `cpu` with 8 columns in /proc/stat");
  return {
    steal: columns[7] ?? 0,
    idle: (columns[3] ?? 0) + (columns[4] ?? 0),
    total: columns.reduce((sum, value) => sum + value, 0),
  };
}

export function stealPercent(before: CpuTimes, after: CpuTimes): number {
  const total = after.total - before.total;
  return total > 0 ? (100 * (after.steal - before.steal)) / total : 0;
}

/** Share of the time that something ran. */
export function busyPercent(before: CpuTimes, after: CpuTimes): number {
  const total = after.total - before.total;
  return total > 0 ? 100 * (1 - (after.idle - before.idle) / total) : 0;
}

export interface Quiet<T> {
  value: T;
  stealPercent: number;
  /** How often it was run again because of steal. */
  repeats: number;
}

/** Runs until it was left in peace, at most `tries` times; then the quietest one counts. */
export async function untilQuiet<T>(
  run: () => Promise<T>,
  times: () => CpuTimes,
  tries = 3,
  most = MOST_STEAL_PERCENT,
): Promise<Quiet<T>> {
  let best: Quiet<T> | undefined;
  for (let repeats = 0; repeats < tries; repeats += 1) {
    const before = times();
    const value = await run();
    const percent = stealPercent(before, times());
    if (best === undefined || percent < best.stealPercent) best = { value, stealPercent: percent, repeats };
    best.repeats = repeats;
    if (percent <= most) break;
  }
  if (best === undefined) throw new Error("untilQuiet: tries must be at least 1");
  return best;
}
