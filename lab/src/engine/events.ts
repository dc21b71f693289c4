/** Everything that the engine and the suites tell while they work. Text, JSON lines and others are formatters of it. */
import type { RungName } from "../drivers/machine-driver.js";
import type { VnflabError } from "../model/error.js";
import { formatAge } from "./duration.js";

/** Those of the machines' drivers, and those above them that every machine has. */
export type LadderRung = RungName | "listening" | "link";

export type LabEvent =
  | { readonly type: "plan"; readonly lab: string; readonly actions: readonly string[] }
  | { readonly type: "action-started"; readonly action: string }
  | { readonly type: "action-done"; readonly action: string; readonly seconds: number }
  | { readonly type: "action-failed"; readonly action: string; readonly error: VnflabError }
  /** It was under way when something else failed or the command was interrupted. */
  | { readonly type: "action-cancelled"; readonly action: string }
  | {
      readonly type: "rung-reached";
      readonly machine: string;
      readonly rung: LadderRung;
      readonly seconds: number;
      readonly detail?: string;
    }
  /** Something that the user should know and that is no failure. */
  | { readonly type: "note"; readonly text: string }
  | { readonly type: "case-started"; readonly case: string }
  | {
      readonly type: "case-done";
      readonly case: string;
      readonly status: "passed" | "failed" | "skipped" | "blocked";
      readonly seconds: number;
      readonly message?: string;
    }
  /** Of many trials that take their time: how far it is. */
  | { readonly type: "progress"; readonly done: number; readonly of: number; readonly secondsLeft: number };

export type Emit = (event: LabEvent) => void;

/** One line for people, or nothing for events that only machines want. */
export function formatEvent(event: LabEvent): string | undefined {
  switch (event.type) {
    case "plan":
      return event.actions.length === 0 ? `${event.lab}: nothing to do` : undefined;
    case "action-started":
      return `… ${event.action}`;
    case "action-done":
      return `✔ ${event.action} (${event.seconds.toFixed(1)} s)`;
    case "action-failed":
      return `✘ ${event.action}: ${event.error.message}`;
    case "action-cancelled":
      return `- ${event.action}: given up`;
    case "rung-reached": {
      const detail = event.detail === undefined ? "" : `: ${event.detail}`;
      return `  ${event.machine}: ${event.rung} (${event.seconds.toFixed(1)} s)${detail}`;
    }
    case "note":
      return `! ${event.text}`;
    case "case-started":
      return `… ${event.case}`;
    case "case-done": {
      const mark = { passed: "✔", failed: "✘", skipped: "-", blocked: "!" }[event.status];
      return `${mark} ${event.case} (${event.seconds.toFixed(1)} s)${event.message ? `: ${event.message}` : ""}`;
    }
    case "progress":
      return `  ${event.done} of ${event.of}, about ${formatAge(1000 * event.secondsLeft)} left`;
  }
}
