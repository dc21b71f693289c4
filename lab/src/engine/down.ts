/** Takes a lab down by its name alone, from its record. */
import { join } from "node:path";
import { acquireLock } from "../host/lock.js";
import { VnflabError } from "../model/error.js";
import { planDown } from "../plan/plan.js";
import type { EngineContext } from "./context.js";
import { findRecord, type LabRecord } from "./record.js";
import { runActions } from "./run-actions.js";

const NEVER = new AbortController().signal;

export async function down(context: EngineContext, lab: string): Promise<void> {
  const { host, layout } = context;
  await using _lock = await acquireLock(host, lockFile(context, lab), `vnflab down ${lab}`);
  const { stateDir } = layout.lab(lab);
  const record = await findRecord(host.files, stateDir);
  if (!record) throw new VnflabError("VNF_LAB_UNKNOWN", `there is no lab "${lab}" in ${layout.stateRoot}`);
  await tearDown(context, record, { keepLogs: false });
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
  const actions = planDown(record.machines.map(({ machine }) => machine));
  const stops = actions.filter(({ kind }) => kind !== "remove-lab");
  const failures = await runActions(context, record, stops, { signal: NEVER, keepGoing: true });
  if (options.keepLogs) await keepLogs(context, record);
  if (failures.length === 0) {
    const removal = actions.filter(({ kind }) => kind === "remove-lab");
    failures.push(...(await runActions(context, record, removal, { signal: NEVER, keepGoing: true })));
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
async function keepLogs(context: EngineContext, record: LabRecord): Promise<void> {
  const { files } = context.host;
  const target = join(context.layout.stateRoot, "failed", record.lab);
  await files.remove(target);
  const sources = [
    ["switch.log", record.switch.logFile],
    ["journal.jsonl", join(record.deployment.stateDir, "journal.jsonl")],
    ...record.machines.map(({ machine, consoleLog }) => [`${machine}.console.log`, consoleLog]),
  ] as const;
  for (const [name, source] of sources) {
    const content = await files.readBytes(source);
    if (content) await files.write(join(target, name), content);
  }
  context.emit({ type: "note", text: `the logs are in ${target}` });
}

/** Outside the lab's folder, which goes when the lab goes. */
export function lockFile(context: EngineContext, lab: string): string {
  return join(context.layout.stateRoot, "locks", `${lab}.lock`);
}
