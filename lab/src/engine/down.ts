/** Takes a lab down by its name alone: from its record, or from its marks when there is no whole record. */

import { join } from "node:path";
import { acquireLock } from "../host/lock.js";
import { NEVER } from "../host/wait.js";
import { VnflabError } from "../model/error.js";
import { planDown } from "../plan/plan.js";
import type { EngineContext } from "./context.js";
import { Journal } from "./journal.js";
import { findRecord, type LabRecord, writeRecord } from "./record.js";
import { removeFolders } from "./remove-lab.js";
import { runActions } from "./run-actions.js";
import { markedProcesses } from "./strays.js";

export async function down(context: EngineContext, lab: string): Promise<void> {
  await using _lock = await lockLab(context, lab, "down");
  await removeWhateverIsThere(context, lab);
}

/** For whoever holds the lab's lock. Throws VNF_LAB_UNKNOWN when nothing of the lab is there. */
export async function removeWhateverIsThere(context: EngineContext, lab: string): Promise<void> {
  const { host, layout } = context;
  const { stateDir, runDir } = layout.lab(lab);
  const record = await findRecord(host.files, stateDir).catch((error: unknown) => {
    if (error instanceof VnflabError && error.code === "VNF_RECORD_INVALID") return undefined;
    throw error;
  });
  if (record) return tearDown(context, record, { keepLogs: false });
  const folders = await Promise.all([stateDir, runDir].map((folder) => host.files.kind(folder)));
  const nothing = folders.every((kind) => kind === undefined) && (await markedProcesses(context, runDir)).length === 0;
  if (nothing) throw new VnflabError("VNF_LAB_UNKNOWN", `there is no lab "${lab}" in ${layout.stateRoot}`);
  await removeFolders(context, lab);
}

/**
 * Stops everything and removes it, whatever the state. Throws VNF_CLEANUP when something is left; the record then stays,
 * so that `down` can be run again.
 */
export async function tearDown(
  context: EngineContext,
  record: LabRecord,
  options: { readonly keepLogs: boolean },
): Promise<void> {
  const { stateDir } = record.deployment;
  await writeRecord(context.host.files, { ...record, phase: "going" });
  const journal = await Journal.open(context, stateDir, `down ${record.lab}`, { anew: record.phase === "up" });
  const actions = planDown(record.machines.map(({ machine }) => machine));
  const stops = actions.filter(({ kind }) => kind !== "remove-lab");
  const failures = await runActions(context, record, stops, { journal, signal: NEVER, keepGoing: true });
  if (options.keepLogs) await keepLogs(context, record);
  if (failures.length === 0) {
    const removal = actions.filter(({ kind }) => kind === "remove-lab");
    failures.push(...(await runActions(context, record, removal, { journal, signal: NEVER, keepGoing: true })));
  }
  if (failures.length > 0) {
    const list = failures.map(({ message }) => message).join("; ");
    throw new VnflabError("VNF_CLEANUP", `lab "${record.lab}" could not be removed completely: ${list}`, {
      cause: failures[0],
      hint: `Run \`vnflab down ${record.lab}\` again.`,
    });
  }
}

/** The logs of a lab that failed, for whoever wants more than the last lines. */
export async function keepLogs(context: EngineContext, record: LabRecord): Promise<void> {
  const { files } = context.host;
  const target = join(context.layout.stateRoot, "failed", record.lab);
  await files.remove(target);
  const there = context.hostOf(record.switch).files;
  const sources = [
    ["switch.log", record.switch.logFile, there],
    ["journal.jsonl", join(record.deployment.stateDir, "journal.jsonl"), files],
    ...record.machines.map(({ machine, consoleLog }) => [`${machine}.console.log`, consoleLog, there] as const),
  ] as const;
  for (const [name, source, at] of sources) {
    const content = await at.readBytes(source).catch(() => undefined);
    if (content) await files.write(join(target, name), content);
  }
  context.emit({ type: "note", text: `the logs are in ${target}` });
}

/** Throws VNF_LAB_LOCKED when another command is at work on the lab. */
export function lockLab(context: EngineContext, lab: string, command: string): Promise<AsyncDisposable> {
  return acquireLock(context.host, lockFile(context, lab), `vnflab ${command} ${lab}`);
}

/** Outside the lab's folder, which goes when the lab goes. */
export function lockFile(context: EngineContext, lab: string): string {
  return join(context.layout.stateRoot, "locks", `${lab}.lock`);
}
