/** Actions on a lab that is up, with the record and the journal telling what is under way. */
import type { Action } from "../plan/action.js";
import type { EngineContext } from "./context.js";
import { Journal } from "./journal.js";
import { type LabRecord, writeRecord } from "./record.js";
import { runActions } from "./run-actions.js";

/** For whoever holds the lab's lock. When it fails the lab stays as it is, for `up` to mend. */
export async function changeLab(
  context: EngineContext,
  record: LabRecord,
  command: string,
  actions: readonly Action[],
  signal: AbortSignal,
): Promise<void> {
  const { files } = context.host;
  await writeRecord(files, { ...record, phase: "changing" });
  const journal = await Journal.open(context, record.deployment.stateDir, `${command} ${record.lab}`, {
    anew: record.phase === "up",
  });
  await runActions(context, record, actions, { journal, signal });
  // What was in doubt before is in doubt still.
  await writeRecord(files, record);
}
