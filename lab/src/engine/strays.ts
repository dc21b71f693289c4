/** Processes of a lab that carry its mark and that no record names, as an interrupted command leaves them. */
import { basename, dirname } from "node:path";
import type { Host } from "../host/host.js";
import { findMarkedProcesses, type MarkedProcess, stopProcesses } from "../host/marked-processes.js";
import { VnflabError } from "../model/error.js";
import type { Action } from "../plan/action.js";
import type { EngineContext } from "./context.js";
import type { LabRecord } from "./record.js";

const GRACE_MS = 3000;

/** Everything that carries the mark of this run folder. */
export async function markedProcesses({ host }: { readonly host: Host }, runDir: string): Promise<MarkedProcess[]> {
  const all = await findMarkedProcesses(host, dirname(runDir));
  return all.filter((process) => process.runDir === runDir);
}

/** Ends all that is left of a lab. Throws VNF_CLEANUP when something survives. */
export async function sweep(context: EngineContext, runDir: string): Promise<MarkedProcess[]> {
  const found = await markedProcesses(context, runDir);
  await endProcesses(context, found);
  return found;
}

/** Ends what is left of a lab, except what belongs to the machines and the switch that stay. */
export async function clearStrays(
  context: EngineContext,
  record: LabRecord,
  keep: Extract<Action, { kind: "clear-strays" }>,
): Promise<void> {
  const pids = await pidsOf(context, record, keep);
  // Where the lab runs: a container has pids of its own.
  const host = context.hostOf(record.switch);
  const found = await markedProcesses({ host }, record.switch.runDir);
  // libvirt's daemon is not of one command: the next one takes it as it is.
  const strays = found.filter(
    (process) =>
      !pids.has(process.pid) &&
      !isLibvirt(process) &&
      !(process.machine !== undefined && keep.machines.includes(process.machine)),
  );
  await endProcesses({ host }, strays);
}

async function pidsOf(
  context: EngineContext,
  record: LabRecord,
  keep: Extract<Action, { kind: "clear-strays" }>,
): Promise<Set<number>> {
  const specs = record.machines.filter(({ machine }) => keep.machines.includes(machine));
  const states = await Promise.all([
    ...specs.map((spec) => context.machineDriver(spec).observe(spec)),
    ...(keep.switch ? [context.switchDriver(record.switch).observe(record.switch)] : []),
  ]);
  return new Set(states.flatMap(({ pid }) => pid ?? []));
}

/** Throws VNF_CLEANUP when something survives. */
export async function endProcesses(
  { host }: { readonly host: Host },
  processes: readonly MarkedProcess[],
): Promise<void> {
  const left = await stopProcesses(host, processes, GRACE_MS);
  if (left.length === 0) return;
  const list = left.map(({ pid, command }) => `process ${pid} (${command.slice(0, 80)})`).join(", ");
  throw new VnflabError("VNF_CLEANUP", `${list} cannot be ended`);
}

function isLibvirt({ command }: MarkedProcess): boolean {
  return basename(command.split(" ")[0] ?? "") === "libvirtd";
}
