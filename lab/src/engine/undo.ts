/** After an `up` of a running lab that failed: what it has begun is undone, and what ran before runs on. */
import { NEVER } from "../host/wait.js";
import { VnflabError } from "../model/error.js";
import type { Action } from "../plan/action.js";
import { planUndo } from "../plan/plan.js";
import { releaseClaim } from "./claim-resources.js";
import type { EngineContext } from "./context.js";
import { keepLogs } from "./down.js";
import { Journal } from "./journal.js";
import { type LabRecord, withMachinesOf, withSwitch, writeRecord } from "./record.js";
import { runActions } from "./run-actions.js";

export interface FailedUp {
  /** The lab as it was to be. */
  readonly record: LabRecord;
  /** The lab as it was. */
  readonly old: LabRecord;
  readonly actions: readonly Action[];
}

/** Machines that ran before and that `up` had nothing to do with. */
export function untouchedMachines({ machines }: LabRecord, actions: readonly Action[]): string[] {
  const touched = new Set(actions.flatMap((action) => ("machine" in action ? [action.machine] : [])));
  return machines.map(({ machine }) => machine).filter((name) => !touched.has(name));
}

/** Throws VNF_CLEANUP when something is left; the next `up` mends the lab then. */
export async function undoUp(context: EngineContext, failed: FailedUp): Promise<void> {
  const { record, old, actions } = failed;
  const { files } = context.host;
  const all = withMachinesOf(record, old);
  await writeRecord(files, { ...all, phase: "changing" });
  const journal = await Journal.open(context, record.deployment.stateDir, `undo up ${record.lab}`, { anew: false });
  const kept = untouchedMachines(record, actions);
  const { status } = await context.switchDriver(record.switch).observe(record.switch);
  const undo = planUndo(actions, { kept, switchRuns: status === "running" });
  const before = asBefore(failed);
  const options = { journal, signal: NEVER, keepGoing: true };
  const failures = [
    ...(await runActions(
      context,
      all,
      undo.filter(({ kind }) => kind !== "connect-ports"),
      options,
    )),
    ...(await runActions(
      context,
      before,
      undo.filter(({ kind }) => kind === "connect-ports"),
      options,
    )),
  ];
  await keepLogs(context, all);
  if (failures.length > 0) {
    const list = failures.map(({ message }) => message).join("; ");
    throw new VnflabError("VNF_CLEANUP", `what was begun in lab "${record.lab}" could not be undone: ${list}`, {
      cause: failures[0],
      hint: `Run \`vnflab up ${record.file}\` again.`,
    });
  }
  await removeFoldersOfNew(context, failed);
  await writeRecord(files, before);
  await releaseClaim(context, record.lab, before);
  context.emit({ type: "note", text: `${kept.join(", ")} of lab ${record.lab} run on as before` });
}

/** With the switch that there is now, wired as it was. */
function asBefore({ record, old }: FailedUp): LabRecord {
  const { links, ports } = old.switch;
  const deployment = { ...old.deployment, switch: record.deployment.switch };
  return { ...withSwitch({ ...old, deployment }, { ...record.switch, links, ports }), phase: "up" };
}

async function removeFoldersOfNew(context: EngineContext, { record, old }: FailedUp): Promise<void> {
  const names = new Set(old.machines.map(({ machine }) => machine));
  for (const spec of record.machines) {
    if (!names.has(spec.machine)) await context.hostOf(spec).files.remove(spec.stateDir);
  }
}
