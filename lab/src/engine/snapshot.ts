/**
 * Snapshots of a lab's machines: their memory and devices in files of the lab's state folder.
 *
 * The guests' disks are read-only below a file system in memory, so the memory is all there is. All machines stand still
 * before the first is saved, so that what one has sent another is on the way or has arrived in all of them alike: a
 * connection between two of them is whole again after restore().
 */
import { join } from "node:path";
import { z } from "zod";
import type { Files } from "../host/files.js";
import { VnflabError } from "../model/error.js";
import { didYouMean } from "../model/suggest.js";
import type { EngineContext } from "./context.js";
import { lockLab } from "./down.js";
import { Lab, type LabMachine } from "./lab.js";

const NAME = /^[a-z0-9][a-z0-9._-]{0,40}$/i;

const snapshotSchema = z.object({
  schemaVersion: z.literal(1),
  name: z.string(),
  time: z.string(),
  /** Of the lab as it was; another one has other machines. */
  fingerprint: z.string(),
  machines: z.array(z.object({ name: z.string(), bytes: z.number() })),
});
export type Snapshot = z.output<typeof snapshotSchema>;

/** Saves machines (all when none is named); they run on. */
export async function saveSnapshot(
  context: EngineContext,
  labName: string,
  name: string,
  machineNames: readonly string[] | undefined,
): Promise<Snapshot> {
  const { lab, lock } = await open(context, labName, "snapshot save");
  await using _lock = lock;
  if (!NAME.test(name))
    throw new VnflabError("VNF_USAGE", `"${name}" is no name for a snapshot: use letters and digits`);
  const folder = folderOf(lab, name);
  if ((await list(lab)).includes(name)) {
    throw new VnflabError("VNF_SNAPSHOT", `there is a snapshot "${name}" of ${labName} already`, {
      hint: `Choose another name, or run \`vnflab snapshot rm ${labName} ${name}\`.`,
    });
  }
  const machines = lab.select(machineNames);
  try {
    await saveAll(lab, machines, folder);
    const snapshot = await describe(lab, machines, name);
    await filesOf(lab).write(join(folder, "snapshot.json"), `${JSON.stringify(snapshot, null, 2)}\n`);
    return snapshot;
  } catch (error) {
    await filesOf(lab).remove(folder);
    throw error;
  }
}

/** Sets machines back to a snapshot; what they have done since is lost. */
export async function restoreSnapshot(context: EngineContext, labName: string, name: string): Promise<Snapshot> {
  const { lab, lock } = await open(context, labName, "snapshot restore");
  await using _lock = lock;
  const snapshot = await read(lab, name);
  if (snapshot.fingerprint !== lab.record.fingerprint) {
    throw new VnflabError("VNF_SNAPSHOT", `the snapshot "${name}" is of another version of ${labName}`, {
      hint: "It was made before the lab was changed; its machines no longer fit.",
    });
  }
  const machines = lab.select(snapshot.machines.map((machine) => machine.name));
  for (const machine of machines) await machine.restore(fileOf(lab, name, machine));
  return snapshot;
}

export async function listSnapshots(context: EngineContext, labName: string): Promise<Snapshot[]> {
  const lab = await Lab.open(context, labName);
  return Promise.all((await list(lab)).map((name) => read(lab, name)));
}

export async function removeSnapshot(context: EngineContext, labName: string, name: string): Promise<void> {
  const { lab, lock } = await open(context, labName, "snapshot rm");
  await using _lock = lock;
  await read(lab, name);
  await filesOf(lab).remove(folderOf(lab, name));
}

async function open(context: EngineContext, labName: string, command: string) {
  const lock = await lockLab(context, labName, command);
  try {
    return { lab: await Lab.open(context, labName), lock };
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

/** A machine that is saved does not run any more, so each is restored at once, whatever happens to the others. */
async function saveAll(lab: Lab, machines: readonly LabMachine[], folder: string): Promise<void> {
  const saved: LabMachine[] = [];
  const file = (machine: LabMachine) => join(folder, `${machine.name}.state`);
  await Promise.all(machines.map((machine) => machine.pause()));
  try {
    for (const machine of machines) {
      await machine.save(file(machine));
      saved.push(machine);
    }
  } finally {
    for (const machine of saved) await machine.restore(file(machine));
    await Promise.all(machines.filter((machine) => !saved.includes(machine)).map((machine) => machine.resume()));
    lab.context.emit({ type: "note", text: `${saved.length} of ${machines.length} machines are saved` });
  }
}

async function describe(lab: Lab, machines: readonly LabMachine[], name: string): Promise<Snapshot> {
  const { host } = lab.context;
  const sizes = machines.map(async (machine) => {
    const info = await filesOf(lab).info(fileOf(lab, name, machine));
    return { name: machine.name, bytes: info?.sizeBytes ?? 0 };
  });
  const { fingerprint } = lab.record;
  const time = host.clock.wallTime().toISOString();
  return { schemaVersion: 1, name, time, fingerprint, machines: await Promise.all(sizes) };
}

async function list(lab: Lab): Promise<string[]> {
  const files = filesOf(lab);
  const names = await files.list(snapshots(lab));
  const kinds = await Promise.all(names.map((name) => files.kind(join(snapshots(lab), name, "snapshot.json"))));
  return names.filter((_, index) => kinds[index] === "file");
}

async function read(lab: Lab, name: string): Promise<Snapshot> {
  const known = await list(lab);
  if (!known.includes(name)) {
    const message = `${lab.record.lab} has no snapshot "${name}"${didYouMean(name, known)}`;
    throw new VnflabError("VNF_SNAPSHOT", message);
  }
  const text = await filesOf(lab).readText(join(folderOf(lab, name), "snapshot.json"));
  return snapshotSchema.parse(JSON.parse(text ?? "{}"));
}

/** What belongs to a snapshot is where its machines are, and goes with the lab there. */
function filesOf(lab: Lab): Files {
  return lab.context.hostOf(lab.record.switch).files;
}

function snapshots(lab: Lab): string {
  return join(lab.record.deployment.stateDir, "snapshots");
}

function folderOf(lab: Lab, name: string): string {
  return join(snapshots(lab), name);
}

function fileOf(lab: Lab, name: string, machine: LabMachine): string {
  return join(folderOf(lab, name), `${machine.name}.state`);
}
