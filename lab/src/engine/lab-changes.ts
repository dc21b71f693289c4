/** What happens to a lab while somebody watches: steps of commands, from its journal, and changes of what runs. */
import type { EngineContext } from "./context.js";
import { GrowingFile } from "./growing-file.js";
import { journalFile } from "./journal.js";
import { findRecord, requireRecord } from "./record.js";
import { type LabStatus, labStatus } from "./status.js";

export type LabChange = {
  readonly time: string;
} /** A line of the journal: a command begins ("run"), or a step of it begins, is done or has failed. */ & (
  | {
      readonly type: "step";
      readonly phase: string;
      readonly command?: string;
      readonly action?: unknown;
      readonly error?: unknown;
    }
  | { readonly type: "machine"; readonly machine: string; readonly status: string; readonly detail: string }
  | { readonly type: "link"; readonly machine: string; readonly up: boolean }
  | { readonly type: "switch"; readonly status: string; readonly detail: string }
  | { readonly type: "lab"; readonly status: "removed" }
);

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** End after the journal so far and the present state. */
  readonly once: boolean;
  readonly onChange: (change: LabChange) => void;
}

const LOOK_MS = 500;

/** Ends when the signal aborts or the lab is gone. */
export async function watchLab(context: EngineContext, lab: string, options: WatchOptions): Promise<void> {
  const { clock, files } = context.host;
  const { deployment } = await requireRecord(files, context.layout, lab);
  const journal = GrowingFile.whole(files, journalFile(deployment.stateDir));
  const told = new Map<string, string>();
  while (!options.signal.aborted) {
    for (const line of await journal.newLines()) for (const step of stepsOf(line)) options.onChange(step);
    const record = await findRecord(files, deployment.stateDir);
    const time = clock.wallTime().toISOString();
    if (!record) return options.onChange({ time, type: "lab", status: "removed" });
    for (const change of changes(await labStatus(context, lab), time, told)) options.onChange(change);
    if (options.once) return;
    await clock.delay(LOOK_MS, options.signal).catch(() => {});
  }
}

/** The state's parts that are not as they were told last. */
function changes(status: LabStatus, time: string, told: Map<string, string>): LabChange[] {
  const parts: [string, LabChange][] = [
    ["switch", { time, type: "switch", status: status.switch.status, detail: status.switch.detail }],
    ...status.machines.flatMap(({ name, status: state, detail, paused, port }): [string, LabChange][] => [
      [`machine ${name}`, { time, type: "machine", machine: name, status: paused ? "paused" : state, detail }],
      [`link ${name}`, { time, type: "link", machine: name, up: port?.linkUp ?? false }],
    ]),
  ];
  return parts
    .filter(([key, change]) => {
      const { time: _time, ...rest } = change;
      const text = JSON.stringify("detail" in rest ? { ...rest, detail: "" } : rest);
      const isNew = told.get(key) !== text;
      told.set(key, text);
      return isNew;
    })
    .map(([, change]) => change);
}

/** None for a line that a crash has cut short. */
function stepsOf(line: string): LabChange[] {
  try {
    return [{ ...(JSON.parse(line) as { time: string; phase: string }), type: "step" }];
  } catch {
    return [];
  }
}

/** One line for people. */
export function formatChange(change: LabChange): string {
  const { time } = change;
  switch (change.type) {
    case "step":
      return `${time} ${change.phase} ${change.command ?? describe(change.action)}`;
    case "machine":
      return `${time} ${change.machine} is ${change.status}: ${change.detail}`;
    case "link":
      return `${time} ${change.machine} has ${change.up ? "a link" : "no link"}`;
    case "switch":
      return `${time} switch is ${change.status}: ${change.detail}`;
    case "lab":
      return `${time} the lab is gone`;
  }
}

function describe(action: unknown): string {
  const { kind, ...rest } = action as { readonly kind: string } & Record<string, unknown>;
  return [kind, ...Object.values(rest).flat()].join(" ");
}
