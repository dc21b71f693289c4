/** Brings a lab to what its file says; on failure or interruption all that this has begun is taken down again. */
import { join, resolve } from "node:path";
import { machineSpec, switchSpec } from "../drivers/specs.js";
import { asVnflabError, VnflabError } from "../model/error.js";
import type { Setting } from "../model/setting.js";
import type { Topology } from "../model/topology.js";
import { type Action, describeAction } from "../plan/action.js";
import { keepImpairments } from "../plan/keep-impairments.js";
import { planUp } from "../plan/plan.js";
import { claimResources, plannedDeployment, releaseClaim } from "./claim-resources.js";
import type { EngineContext } from "./context.js";
import { lockLab, tearDown } from "./down.js";
import { Journal } from "./journal.js";
import { loadTopology } from "./load-topology.js";
import { needsOf } from "./needs.js";
import { anythingRuns, observeLab } from "./observe.js";
import { foldersAt, pinPlaces } from "./place-of-lab.js";
import {
  desiredMachines,
  findRecord,
  type LabRecord,
  makeRecord,
  type RecordParts,
  withMachinesOf,
  writeRecord,
} from "./record.js";
import { runActions } from "./run-actions.js";
import { undoUp, untouchedMachines } from "./undo.js";

export interface UpOptions {
  readonly signal: AbortSignal;
  /** Only tell what would be done. */
  readonly dryRun?: boolean;
  /** Keys of the lab file, given from outside. */
  readonly settings?: readonly Setting[];
  /** The lab ends with this process, however that ends. */
  readonly foreground?: boolean;
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
  const topology = pinPlaces(await loadTopology(context, path, options.settings), context.host.env);
  return options.dryRun ? tell(context, path, topology) : bringUp(context, path, topology, options);
}

/** One of the labs in lab/examples. */
export function exampleFile(context: EngineContext, name: string): string {
  return join(context.host.root, "lab/examples", name, "lab.yaml");
}

async function tell(context: EngineContext, path: string, topology: Topology): Promise<UpResult> {
  const old = await findRecord(context.host.files, context.layout.lab(topology.name).stateDir);
  const planned = await plannedDeployment(context, topology, old);
  const record = await desiredRecord(context, { file: path, createdAt: "", ...planned }, old);
  return result(record, await planFor(context, record, old));
}

async function bringUp(
  context: EngineContext,
  path: string,
  topology: Topology,
  { signal, foreground }: UpOptions,
): Promise<UpResult> {
  const { host } = context;
  const lab = topology.name;
  await using _lock = await lockLab(context, lab, "up");
  const old = await findRecord(host.files, context.layout.lab(lab).stateDir);
  // Everything that can be refused is refused before anything is started.
  const planned = await claimResources(context, topology, old);
  let record: LabRecord;
  let actions: Action[];
  try {
    const createdAt = old?.createdAt ?? host.clock.wallTime().toISOString();
    const owner = foreground ? { owner: await host.exec.self() } : {};
    record = await desiredRecord(context, { file: path, createdAt, ...owner, ...planned }, old);
    actions = await planFor(context, record, old);
  } catch (error) {
    await releaseClaim(context, lab, old);
    throw error;
  }
  const outcome = result(record, actions);
  context.emit({ type: "plan", lab, actions: outcome.steps });
  await makeItSo(context, { record, old, actions, signal });
  return outcome;
}

function result(record: LabRecord, actions: readonly Action[]): UpResult {
  return { lab: record.lab, record, actions, steps: actions.map(describeAction) };
}

async function desiredRecord(
  context: EngineContext,
  parts: Omit<RecordParts, "switch" | "machines">,
  old: LabRecord | undefined,
): Promise<LabRecord> {
  const { deployment } = parts;
  if (deployment.oversubscribed) {
    const why = deployment.oversubscription ?? "cores are shared with another lab";
    context.emit({ type: "note", text: `oversubscribed: figures not comparable (${why})` });
  }
  const { place } = deployment.switch;
  const host = await context.hostAt(place);
  const there = { ...deployment, ...(await foldersAt(context, place, deployment.lab)) };
  const machines = await Promise.all(
    deployment.machines.map((machine) =>
      machineSpec(host, there, machine, () => context.accelerator(machine.accelerator, place)),
    ),
  );
  const sw = switchSpec(there);
  const links = old && keepImpairments(sw.links, { asked: old.deployment.links, actual: old.switch.links });
  return makeRecord({ ...parts, switch: links ? { ...sw, links } : sw, machines });
}

async function planFor(context: EngineContext, record: LabRecord, old: LabRecord | undefined): Promise<Action[]> {
  const observed = await observeLab(context, old);
  if (old && old.file !== record.file && anythingRuns(observed)) {
    throw new VnflabError("VNF_LAB_EXISTS", `a lab "${record.lab}" already runs from ${old.file}`, {
      hint: `Run \`vnflab down ${record.lab}\` first, or give the lab another name.`,
    });
  }
  return planUp({ switch: record.fingerprints.switch, machines: desiredMachines(record) }, observed);
}

interface Work {
  readonly record: LabRecord;
  readonly old: LabRecord | undefined;
  readonly actions: readonly Action[];
  readonly signal: AbortSignal;
}

async function makeItSo(context: EngineContext, { record, old, actions, signal }: Work): Promise<void> {
  const { files } = context.host;
  try {
    if (old) await writeRecord(files, { ...old, phase: "changing" });
    const journal = await Journal.open(context, record.deployment.stateDir, `up ${record.lab}`, {
      anew: !old || old.phase === "up",
    });
    // What was deployed before is ended as it was deployed.
    if (old) await runActions(context, old, actions.filter(isEnding), { journal, signal });
    // From here on `down` finds what there is to remove.
    await writeRecord(files, record);
    const rest = actions.filter((action) => !isEnding(action));
    // Who starts the switch makes its place ready; where it runs on, the place may have to hold more than before.
    const begins = (wanted: Action["kind"]) => rest.some(({ kind }) => kind === wanted);
    if (begins("start-machine") && !begins("start-switch")) {
      await context.hostOf(record.switch).prepare(needsOf(record));
    }
    await runActions(context, record, rest, { journal, signal });
    await writeRecord(files, { ...record, phase: "up" });
  } catch (thrown) {
    const undone =
      old && untouchedMachines(record, actions).length > 0
        ? undoUp(context, { record, old, actions })
        : tearDown(context, withMachinesOf(record, old), { keepLogs: true });
    await undone.catch((error: unknown) => {
      // Why it failed matters more than what is left; that is told beside it.
      context.emit({ type: "note", text: asVnflabError(error).message });
    });
    throw signal.aborted ? asVnflabError(signal.reason) : thrown;
  }
}

function isEnding({ kind }: Action): boolean {
  return kind === "clear-strays" || kind === "stop-machine" || kind === "stop-switch";
}
