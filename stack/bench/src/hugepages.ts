/** Hugepages for our side, when root can have them: they double such figures. What was changed is put back. */
import { readFileSync, writeFileSync } from "node:fs";
import { attempt } from "./process.js";

/** Two processes with their packets and buffers. */
const WANTED_MB = 2048;
const NR_HUGEPAGES = "/proc/sys/vm/nr_hugepages";

export interface HugepageCounts {
  total: number;
  free: number;
  pageMb: number;
}

export function parseHugepages(meminfo: string): HugepageCounts {
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1] ?? 0);
  return { total: number("HugePages_Total"), free: number("HugePages_Free"), pageMb: number("Hugepagesize") / 1024 };
}

/** Pages to ask for in all so that enough are free, undefined when there are enough. */
export function pagesWanted({ total, free, pageMb }: HugepageCounts, wantedMb = WANTED_MB): number | undefined {
  const missing = Math.ceil(wantedMb / (pageMb || 2)) - free;
  return missing > 0 ? total + missing : undefined;
}

export interface Hugepages extends Disposable {
  on: boolean;
  /** For people. */
  said: string;
}

const counts = () => parseHugepages(readFileSync("/proc/meminfo", "utf8"));

export function takeHugepages(): Hugepages {
  const before = counts();
  const wanted = pagesWanted(before);
  const nothing = () => undefined;
  if (wanted === undefined) return { on: true, said: `hugepages: ${before.free} are free`, [Symbol.dispose]: nothing };
  const restore = () => {
    attempt(["sysctl", "-qw", `vm.nr_hugepages=${before.total}`]);
  };
  try {
    writeFileSync(NR_HUGEPAGES, String(wanted));
  } catch (error) {
    return { on: false, said: `no hugepages: ${String(error)}`, [Symbol.dispose]: nothing };
  }
  const now = counts();
  if (pagesWanted(now) === undefined)
    return { on: true, said: `hugepages: vm.nr_hugepages is ${wanted} until the end`, [Symbol.dispose]: restore };
  restore();
  return { on: false, said: `no hugepages: only ${now.free} of ${wanted} could be had`, [Symbol.dispose]: nothing };
}
