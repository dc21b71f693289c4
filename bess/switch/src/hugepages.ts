// SPDX-License-Identifier: BSD-3-Clause
// Where the packet memory comes from. Pure over the text of /proc/meminfo.

export type HugepageMode = "auto" | "on" | "off";

export interface HugepageChoice {
  use: boolean;
  /** For the log: what was chosen is said with its reason. */
  reason: string;
}

export function chooseHugepages(mode: HugepageMode, memMb: number, meminfo: string): HugepageChoice {
  if (mode !== "auto") return { use: mode === "on", reason: `asked for: ${mode}` };
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1] ?? 0);
  const freeMb = Math.floor((field("HugePages_Free") * field("Hugepagesize")) / 1024);
  return freeMb >= memMb
    ? { use: true, reason: `${freeMb} MB of hugepages are free` }
    : { use: false, reason: `only ${freeMb} MB of hugepages are free, ${memMb} MB are needed` };
}
