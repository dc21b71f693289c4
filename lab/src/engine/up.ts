/** Brings a lab to what its file says; on failure or interruption everything is taken down again. */
import { join, resolve } from "node:path";
import { machineSpec, switchSpec } from "../drivers/specs.js";
import { acquireLock } from "../host/lock.js";
import { asVnflabError, VnflabError } from "../model/error.js";
import type { Setting } from "../model/setting.js";
import { allocate } from "../plan/allocate.js";
import { type Action, describeAction, planUp } from "../plan/plan.js";
import type { EngineContext } from "./context.js";
import { lockFile, tearDown } from "./down.js";
import { loadTopology } from "./load-topology.js";
import { observeLab } from "./observe.js";
import { findRecord, type LabRecord, makeRecord, writeRecord } from "./record.js";
import { runActions } from "./run-actions.js";

export interface UpOptions {
  readonly signal: AbortSignal;
  /** Only tell what would be done. */
  readonly dryRun?: boolean;
  /** Keys of the lab file, given from outside. */
  readonly settings?: readonly Setting[];
}

export interface UpResult {
  readonly lab: string;
  readonly actions: readonly Action[];
  /** The actions for people, one line each. */
  readonly steps: readonly string[];
  readonly record: LabRecord;
}

export async function up(context: EngineContext, file: string, options: UpOptions): Promise<UpResult> {
  const path = resolve(file);
  const record = await desiredRecord(context, path, options.settings);
  const { lab } = record;
  const result = (actions: readonly Action[]) => ({ lab, record, actions, steps: actions.map(describeAction) });
  if (options.dryRun) return result(await planFor(context, record));
  await using _lock = await acquireLock(context.host, lockFile(context, lab), `vnflab up ${lab}`);
  const actions = await planFor(context, record);
  context.emit({ type: "plan", lab, actions: result(actions).steps });
  await makeItSo(context, record, actions, options.signal);
  return result(actions);
}

/** One of the labs in lab/examples. */
export function exampleFile(context: EngineContext, name: string): string {
  return join(context.host.root, "lab/examples", name, "lab.yaml");
}

/** Everything that can be refused is refused here, before anything is started. */
async function desiredRecord(context: EngineContext, path: string, settings?: readonly Setting[]): Promise<LabRecord> {
  const { host, layout } = context;
  const topology = await loadTopology(context, path, settings);
  const deployment = allocate(topology, await context.facts(), layout.lab(topology.name));
  if (deployment.oversubscribed) {
    context.emit({ type: "note", text: "more workers and CPUs than this host has cores: figures are not comparable" });
  }
  const machines = await Promise.all(
    deployment.machines.map((machine) =>
      machineSpec(host, deployment, machine, () => context.accelerator(machine.accelerator)),
    ),
  );
  return makeRecord(path, deployment, switchSpec(deployment), machines);
}

async function planFor(context: EngineContext, record: LabRecord): Promise<Action[]> {
  const old = await findRecord(context.host.files, record.deployment.stateDir);
  const observed = await observeLab(context, old);
  const anythingRuns = observed.switch === "running" || Object.values(observed.machines).includes("running");
  if (old && old.file !== record.file && anythingRuns) {
    throw new VnflabError("VNF_LAB_EXISTS", `a lab "${record.lab}" already runs from ${old.file}`, {
      hint: `Run \`vnflab down ${record.lab}\` first, or give the lab another name.`,
    });
  }
  const names = record.machines.map(({ machine }) => machine);
  return planUp({ machines: names, fingerprint: record.fingerprint }, observed);
}

async function makeItSo(
  context: EngineContext,
  record: LabRecord,
  actions: readonly Action[],
  signal: AbortSignal,
): Promise<void> {
  const { files } = context.host;
  const { stateDir, runDir } = record.deployment;
  const old = await findRecord(files, stateDir);
  const isStop = ({ kind }: Action) => kind === "stop-machine" || kind === "stop-switch";
  try {
    // What was deployed before is stopped as it was deployed.
    if (old) await runActions(context, old, actions.filter(isStop), { signal });
    // From here on `down` finds what there is to remove.
    await writeRecord(files, record);
    await files.makeDirectory(runDir, { mode: 0o700 });
    const rest = actions.filter((action) => !isStop(action));
    await runActions(context, record, rest, { signal });
  } catch (thrown) {
    await tearDown(context, record, { keepLogs: true }).catch((error: unknown) => {
      // Why it failed matters more than what is left; that is told beside it.
      context.emit({ type: "note", text: asVnflabError(error).message });
    });
    throw signal.aborted ? asVnflabError(signal.reason) : thrown;
  }
}
