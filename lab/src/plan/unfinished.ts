/** Journal -> what a command that did not come to its end has left in doubt. Pure. */
import type { Action } from "./action.js";

export interface JournalEntry {
  readonly phase: "run" | "begin" | "done" | "failed";
  /** Absent in the line that begins a command's run. */
  readonly action?: Action;
}

export interface Unfinished {
  /** It was being started, wired or stopped. */
  readonly switch: boolean;
  /** They were being started, prepared or stopped. */
  readonly machines: ReadonlySet<string>;
}

/** The last step of what brings a machine up; only then it is known to work. */
const MACHINE_IS_UP = "check-link";

export function unfinished(entries: readonly JournalEntry[]): Unfinished {
  let sw = false;
  const machines = new Set<string>();
  for (const { phase, action } of entries) {
    if (!action) continue;
    const settled = phase === "done";
    switch (action.kind) {
      case "start-switch":
        sw = true;
        break;
      case "connect-ports":
      case "stop-switch":
        sw = !settled;
        break;
      case "start-machine":
      case "await-machine":
      case "configure-stack":
        machines.add(action.machine);
        break;
      case MACHINE_IS_UP:
      case "stop-machine":
        if (settled) machines.delete(action.machine);
        else machines.add(action.machine);
        break;
      case "clear-strays":
      case "remove-lab":
        break;
    }
  }
  return { switch: sw, machines };
}
