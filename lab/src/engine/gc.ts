/**
 * Removes what is provably dead or orphaned. Proof is the lab's own record, lock, run folder or mark; what another
 * state folder may own, and what a living command is at work on, is left alone.
 */
import { basename, join } from "node:path";
import { PrivateDaemon } from "../drivers/libvirt/private-daemon.js";
import { labContainers } from "../host/docker/orphans.js";
import { acquireLock, lockHolder, removeStaleLock } from "../host/lock.js";
import { findMarkedProcesses } from "../host/marked-processes.js";
import { asVnflabError } from "../model/error.js";
import { planningLockFile, readClaim } from "./claims.js";
import type { EngineContext } from "./context.js";
import { lockFile, lockLab, removeWhateverIsThere } from "./down.js";
import { whyGarbage } from "./garbage.js";
import { listLabs } from "./ls.js";
import { removeFolders, removeRunFolder } from "./remove-lab.js";
import { endProcesses, markedProcesses } from "./strays.js";

export interface GcOptions {
  /** Only these labs, and nothing else; absent: everything. */
  readonly labs?: readonly string[];
  /** Only tell. */
  readonly dryRun: boolean;
  /** Logs of failed labs that are older go as well. */
  readonly logsOlderThanMs?: number;
}

export interface GcFinding {
  readonly kind: "lab" | "folder" | "processes" | "container" | "lock" | "logs";
  readonly name: string;
  /** Why it is garbage. */
  readonly why: string;
  readonly removed: boolean;
  /** Why it could not be removed. */
  readonly error?: string;
}

interface Garbage extends Pick<GcFinding, "kind" | "name" | "why"> {
  remove(): Promise<void>;
}

/** A lab that is gone, and the lock that a new one of the name would take. */
interface Orphan {
  readonly lab: string;
  readonly lock: string;
}

const STATE_LEFTOVERS = "removing";
const DOCTOR = /^doctor-(\d+)$/;

export async function* collectGarbage(context: EngineContext, options: GcOptions): AsyncGenerator<GcFinding> {
  for await (const { kind, name, why, remove } of findGarbage(context, options)) {
    const found = { kind, name, why };
    if (options.dryRun) yield { ...found, removed: false };
    else
      yield await remove().then(
        () => ({ ...found, removed: true }),
        (thrown: unknown) => failed(found, thrown),
      );
  }
}

function failed(found: Pick<GcFinding, "kind" | "name" | "why">, thrown: unknown): GcFinding {
  return { ...found, removed: false, error: asVnflabError(thrown).message };
}

async function* findGarbage(context: EngineContext, { labs, logsOlderThanMs }: GcOptions): AsyncGenerator<Garbage> {
  if (labs) {
    yield* deadLabs(context, labs);
    yield* orphanedRunFolders(context, labs);
    return;
  }
  yield* deadLabs(context);
  yield* halfRemoved(context);
  yield* orphanedRunFolders(context);
  yield* orphanedContainers(context);
  yield* orphanedProcesses(context);
  yield* staleLocks(context);
  if (logsOlderThanMs !== undefined) yield* oldLogs(context, logsOlderThanMs);
}

async function* deadLabs(context: EngineContext, only?: readonly string[]): AsyncGenerator<Garbage> {
  for (const lab of await listLabs(context)) {
    if (only && !only.includes(lab)) continue;
    if (await lockHolder(context.host, lockFile(context, lab))) continue;
    const why = await whyGarbage(context, lab);
    if (why !== undefined) yield { kind: "lab", name: lab, why, remove: () => removeIfStill(context, lab) };
  }
}

/** Under the lab's lock, and only if nobody has mended it since. */
async function removeIfStill(context: EngineContext, lab: string): Promise<void> {
  await using _lock = await lockLab(context, lab, "gc");
  if ((await whyGarbage(context, lab)) !== undefined) await removeWhateverIsThere(context, lab);
}

/** A removal that was interrupted between its last two steps. */
async function* halfRemoved(context: EngineContext): AsyncGenerator<Garbage> {
  const { host, layout } = context;
  const folder = join(layout.stateRoot, STATE_LEFTOVERS);
  for (const lab of await host.files.list(folder)) {
    if (await lockHolder(host, lockFile(context, lab))) continue;
    const remove = async () => {
      await host.files.remove(join(folder, lab));
      await host.files.removeEmpty(folder);
    };
    yield { kind: "folder", name: join(folder, lab), why: "its removal was interrupted", remove };
  }
}

async function* orphanedRunFolders(context: EngineContext, only?: readonly string[]): AsyncGenerator<Garbage> {
  const { host, layout } = context;
  for (const name of await host.files.list(layout.runRoot)) {
    const runDir = join(layout.runRoot, name);
    const doctor = DOCTOR.exec(name)?.[1];
    if (doctor !== undefined) {
      if (only !== undefined || (await host.files.kind(`/proc/${doctor}`)) !== undefined) continue;
      const why = "the `vnflab doctor` that made it has ended";
      yield { kind: "folder", name: runDir, why, remove: () => removeTrial(context, runDir) };
      continue;
    }
    const orphan = await orphanOf(context, runDir);
    if (!orphan || (only && !only.includes(orphan.lab)) || (await lockHolder(host, orphan.lock))) continue;
    const remove = async () => {
      await using _lock = await acquireLock(host, orphan.lock, `vnflab gc ${orphan.lab}`);
      if (!(await orphanOf(context, runDir))) return;
      if (layout.lab(orphan.lab).runDir === runDir) return removeFolders(context, orphan.lab);
      await endProcesses(context, await markedProcesses(context, runDir));
      await removeRunFolder(context, runDir);
    };
    yield { kind: "folder", name: runDir, why: `lab ${orphan.lab} has no record`, remove };
  }
}

/** The lab whose record is gone, of this state folder or of one that says so itself; undefined for any other. */
async function orphanOf(context: EngineContext, runDir: string): Promise<Orphan | undefined> {
  const { host } = context;
  const claim = await readClaim(context, runDir);
  const lab = ownLabOf(context, runDir) ?? claim?.lab;
  if (lab === undefined) return undefined;
  const stateDir = claim?.stateDir ?? context.layout.lab(lab).stateDir;
  if ((await host.files.kind(stateDir)) !== undefined) return undefined;
  return { lab, lock: claim?.lock ?? lockFile(context, lab) };
}

/** The lab of this state folder that would have this run folder. */
function ownLabOf({ layout }: EngineContext, runDir: string): string | undefined {
  const lab = /^(.+)-[0-9a-f]{4}$/.exec(basename(runDir))?.[1];
  return lab !== undefined && layout.lab(lab).runDir === runDir ? lab : undefined;
}

async function removeTrial(context: EngineContext, dir: string): Promise<void> {
  await new PrivateDaemon(context.host, { dir, cacheHome: join(context.layout.cacheDir, "libvirt") }).stop();
  await removeRunFolder(context, dir);
}

/** Of labs of this state folder that have neither record nor run folder left. */
async function* orphanedProcesses(context: EngineContext): AsyncGenerator<Garbage> {
  const { host, layout } = context;
  const all = await findMarkedProcesses(host, layout.runRoot);
  for (const runDir of new Set(all.map((process) => process.runDir))) {
    const processes = all.filter((process) => process.runDir === runDir);
    const lab = ownLabOf(context, runDir);
    const orphan = lab === undefined ? undefined : await orphanOf(context, runDir);
    if (!orphan || (await host.files.kind(runDir)) !== undefined || (await lockHolder(host, orphan.lock))) continue;
    const name = processes.map(({ pid, command }) => `${pid} (${command.slice(0, 60)})`).join(", ");
    yield { kind: "processes", name, why: `lab ${lab} is gone`, remove: () => endProcesses(context, processes) };
  }
}

/** Of labs of this state folder that have no record left. */
async function* orphanedContainers(context: EngineContext): AsyncGenerator<Garbage> {
  const { host, layout } = context;
  for (const { name, lab, stateDir, remove } of await labContainers(host, join(layout.stateRoot, "labs"))) {
    if ((await host.files.kind(stateDir)) !== undefined || (await lockHolder(host, lockFile(context, lab)))) continue;
    yield { kind: "container", name, why: `lab ${lab} has no record`, remove };
  }
}

async function* staleLocks(context: EngineContext): AsyncGenerator<Garbage> {
  const { host, layout } = context;
  const folder = join(layout.stateRoot, "locks");
  const own = (await host.files.list(folder)).map((name) => join(folder, name));
  for (const file of [...own, planningLockFile(context)]) {
    if ((await host.files.kind(file)) === undefined || (await lockHolder(host, file))) continue;
    const half = /\.(\d+)\.\d+\.new$/.exec(file)?.[1];
    if (half !== undefined && (await host.files.kind(`/proc/${half}`)) !== undefined) continue;
    const remove = async () => {
      if (half === undefined && !file.endsWith(".breaking")) await removeStaleLock(host, file);
      else await host.files.remove(file);
    };
    yield { kind: "lock", name: file, why: "its holder has ended", remove };
  }
}

async function* oldLogs(context: EngineContext, olderThanMs: number): AsyncGenerator<Garbage> {
  const { host, layout } = context;
  const folder = join(layout.stateRoot, "failed");
  for (const lab of await host.files.list(folder)) {
    const [last] = await host.files.tail(join(folder, lab, "journal.jsonl"), 1);
    const time = Date.parse(timeOf(last));
    const age = host.clock.wallTime().getTime() - time;
    if (!(age > olderThanMs)) continue;
    const why = `of ${new Date(time).toISOString()}`;
    yield { kind: "logs", name: join(folder, lab), why, remove: () => host.files.remove(join(folder, lab)) };
  }
}

function timeOf(line: string | undefined): string {
  try {
    return String((JSON.parse(line ?? "") as { time?: unknown }).time);
  } catch {
    return "";
  }
}
