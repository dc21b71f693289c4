/** /proc/PID/stat, as far as the lab needs it. */

export interface ProcStat {
  /** One letter, proc(5): Z and X are what is left of a process that has ended. */
  readonly state: string;
  readonly parent: number;
  /** Field 22, in clock ticks since boot: with the pid it names one process for ever. */
  readonly startTicks: number;
}

export function parseProcStat(text: string): ProcStat {
  // The program's name, field 2, is in parentheses and may hold anything; count from behind it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "X", parent: Number(fields[1]), startTicks: Number(fields[19] ?? -1) };
}

export function hasEnded({ state }: ProcStat): boolean {
  return state === "Z" || state === "X";
}
