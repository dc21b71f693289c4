/** Which labs there are, and in what state: from the state folder alone, whatever a crash has made of it. */
import { join } from "node:path";
import { lockHolder } from "../host/lock.js";
import { withDeadline } from "../host/wait.js";
import { asVnflabError, VnflabError } from "../model/error.js";
import type { Observed } from "../plan/plan.js";
import type { EngineContext } from "./context.js";
import { lockFile } from "./down.js";
import { observeLab } from "./observe.js";
import { findRecord, type LabRecord } from "./record.js";

export type LabState =
  /** All of it runs. */
  | "up"
  /** A part does not run. */
  | "partly up"
  /** Nothing of it runs. */
  | "dead"
  /** A command is at work on it. */
  | "changing"
  /** A command that was at work on it has ended before its time. */
  | "interrupted"
  /** Its record cannot be read, or there is none. */
  | "no record"
  /** What runs of it could not be found out. */
  | "unknown";

export interface LabSummary {
  readonly lab: string;
  readonly state: LabState;
  /** What to know beside the state, for people. */
  readonly detail: string;
  readonly file?: string;
  readonly createdAt?: string;
  readonly machines?: { readonly running: number; readonly total: number };
  readonly cores?: readonly number[];
  /** The process that is at work on it, or that it lives and dies with. */
  readonly owner?: { readonly pid: number; readonly purpose: string };
}

const LOOK_MS = 15_000;

export async function listLabs(context: EngineContext): Promise<string[]> {
  return context.host.files.list(join(context.layout.stateRoot, "labs"));
}

export async function summariseLabs(context: EngineContext): Promise<LabSummary[]> {
  return Promise.all((await listLabs(context)).map((lab) => summarise(context, lab)));
}

async function summarise(context: EngineContext, lab: string): Promise<LabSummary> {
  const holder = await lockHolder(context.host, lockFile(context, lab));
  const owner = holder && { pid: holder.pid, purpose: holder.purpose };
  const busy = owner ? { owner } : {};
  try {
    const record = await findRecord(context.host.files, context.layout.lab(lab).stateDir);
    if (!record) return { lab, state: owner ? "changing" : "no record", detail: owner?.purpose ?? GC, ...busy };
    return { ...(await look(context, record, owner !== undefined)), ...busy };
  } catch (thrown) {
    return { lab, state: "no record", detail: `${asVnflabError(thrown).message}; ${GC}`, ...busy };
  }
}

const GC = "`vnflab gc` removes it";

async function look(context: EngineContext, record: LabRecord, busy: boolean): Promise<LabSummary> {
  const { lab, file, createdAt, owner } = record;
  const known = {
    ...{ lab, file, createdAt },
    cores: [record.deployment.switch.core, ...record.deployment.machines.flatMap(({ cores }) => cores)],
    ...(owner ? { owner: { pid: owner.pid, purpose: "lives in the foreground of it" } } : {}),
  };
  try {
    const observed = await withDeadline(context.host.clock, observeLab(context, record), {
      deadlineMs: LOOK_MS,
      signal: new AbortController().signal,
      onDeadline: () => new VnflabError("VNF_NOT_READY", `no answer in ${LOOK_MS / 1000} s`),
    });
    const machines = Object.values(observed.machines);
    const running = machines.filter(({ presence }) => presence === "running").length;
    const counts = { machines: { running, total: machines.length } };
    return { ...known, ...counts, ...judge(record, observed, busy) };
  } catch (thrown) {
    return { ...known, state: "unknown", detail: asVnflabError(thrown).message };
  }
}

function judge({ phase, file }: LabRecord, { switch: sw, machines }: Observed, busy: boolean) {
  if (busy) return { state: "changing", detail: "" } as const;
  if (phase !== "up")
    return { state: "interrupted", detail: `\`vnflab up ${file}\` mends it, \`gc\` removes it` } as const;
  const parts = [
    ["switch", sw.presence] as const,
    ...Object.entries(machines).map(([name, m]) => [name, m.presence] as const),
  ];
  const missing = parts
    .filter(([, presence]) => presence !== "running")
    .map(([name, presence]) => `${name} ${presence}`);
  if (missing.length === 0) return { state: "up", detail: "" } as const;
  if (missing.length === parts.length) return { state: "dead", detail: GC } as const;
  return { state: "partly up", detail: `${missing.join(", ")}; \`vnflab up ${file}\` mends it` } as const;
}
