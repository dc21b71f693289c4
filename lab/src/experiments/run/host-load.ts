/** How busy the host was between two looks at /proc/stat, and how much of its time it was not given by its own host. */
import type { EngineContext } from "../../engine/context.js";
import type { TrialResult } from "../../model/experiment/run-folder.js";

export interface CpuTime {
  readonly total: number;
  readonly idle: number;
  readonly steal: number;
}

/** The first line of /proc/stat, proc_stat(5); guest time is part of user time. */
export function parseCpuTime(text: string): CpuTime {
  const fields = (/^cpu +(.*)$/m.exec(text)?.[1] ?? "").split(" ").map(Number);
  const [, , , idle = 0, iowait = 0, , , steal = 0] = fields;
  return { total: fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0), idle: idle + iowait, steal };
}

export function hostLoad(before: CpuTime, after: CpuTime): TrialResult["host"] {
  const total = after.total - before.total;
  const percent = (ticks: number) => (total > 0 ? Math.round((1000 * ticks) / total) / 10 : 0);
  const steal = after.steal - before.steal;
  return { stealPercent: percent(steal), busyPercent: percent(total - (after.idle - before.idle) - steal) };
}

export async function readCpuTime({ host }: Pick<EngineContext, "host">): Promise<CpuTime> {
  return parseCpuTime((await host.files.readText("/proc/stat")) ?? "");
}
