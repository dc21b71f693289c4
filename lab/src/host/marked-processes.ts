/**
 * Finds the processes of a lab by the marks that they carry, for when no record names them: a command that is killed
 * between starting a process and writing its pid down leaves one.
 *
 * What counts as proof: the environment variable LAB_MARK, which the lab gives to all that it starts and which their
 * children inherit; or, for QEMU, which libvirt starts with an environment of its own, an argument below the lab's run
 * folder. The name of a path in another program's command line proves nothing: an editor or `tail -f` has it, too.
 */
import { basename } from "node:path";
import type { ProcessIdentity } from "./exec.js";
import type { Host } from "./host.js";
import { hasEnded, type ProcStat, parseProcStat } from "./proc-stat.js";

/** Its value is the lab's run folder, which no two labs of a host share. */
export const LAB_MARK = "VNFLAB_LAB";
/** The machine that a process runs in, when there is one. */
const MACHINE_MARK = "VNFLAB_MACHINE";

/** The environment of whatever the lab starts. */
export function labMarks(runDir: string, machine?: string): Readonly<Record<string, string>> {
  return { [LAB_MARK]: runDir, ...(machine === undefined ? {} : { [MACHINE_MARK]: machine }) };
}

export interface MarkedProcess extends ProcessIdentity {
  readonly runDir: string;
  /** Undefined for what is of no single machine, and for QEMU. */
  readonly machine?: string;
  /** The program and its arguments, for people. */
  readonly command: string;
}

/** Processes of the labs whose run folders are below `runRoot`; never this one or one of its ancestors. */
export async function findMarkedProcesses(host: Host, runRoot: string): Promise<MarkedProcess[]> {
  const pids = (await host.files.list("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = new Map<number, ProcStat>();
  for (const pid of pids) {
    const text = await readProc(host, pid, "stat");
    if (text !== undefined) stats.set(pid, parseProcStat(text));
  }
  const own = ancestors((await host.exec.self()).pid, stats);
  const found = await Promise.all(
    [...stats].map(async ([pid, stat]): Promise<MarkedProcess | undefined> => {
      if (own.has(pid) || hasEnded(stat)) return undefined;
      const { argv, environ } = await readProgram(host, pid, stat);
      const runDir = runDirOf(runRoot, argv, environ);
      if (runDir === undefined) return undefined;
      const process = { pid, startTicks: stat.startTicks, runDir, command: argv.join(" ") };
      const mark = environ.find((entry) => entry.startsWith(`${MACHINE_MARK}=`));
      return mark === undefined ? process : { ...process, machine: mark.slice(MACHINE_MARK.length + 1) };
    }),
  );
  return found.filter((process) => process !== undefined);
}

/** Stops processes; those that are still there afterwards. */
export async function stopProcesses<P extends ProcessIdentity>(
  host: Host,
  processes: readonly P[],
  graceMs: number,
): Promise<P[]> {
  await Promise.all(processes.map((process) => host.exec.stop(process, graceMs)));
  const alive = await Promise.all(processes.map((process) => host.exec.isAlive(process)));
  return processes.filter((_, index) => alive[index]);
}

function runDirOf(runRoot: string, argv: readonly string[], environ: readonly string[]): string | undefined {
  const prefix = `${LAB_MARK}=${runRoot}/`;
  const mark = environ.find((entry) => entry.startsWith(prefix));
  if (mark !== undefined) return mark.slice(LAB_MARK.length + 1);
  if (!basename(argv[0] ?? "").startsWith("qemu-system-")) return undefined;
  for (const word of argv) {
    const at = word.indexOf(`${runRoot}/`);
    const name = at < 0 ? undefined : word.slice(at + runRoot.length + 1).split("/")[0];
    if (name) return `${runRoot}/${name}`;
  }
  return undefined;
}

function ancestors(pid: number, stats: ReadonlyMap<number, ProcStat>): Set<number> {
  const line = new Set<number>();
  for (let at: number | undefined = pid; at !== undefined && !line.has(at); at = stats.get(at)?.parent) line.add(at);
  return line;
}

/** Longer than a process is between two programs. */
const BETWEEN_MS = 100;
/** The parent of the kernel's threads, which have no program. */
const KTHREADD = 2;

/** For a moment of its execve() a process has neither arguments nor an environment: then it is looked at again. */
async function readProgram(host: Host, pid: number, { parent }: ProcStat) {
  const until = host.clock.now() + BETWEEN_MS;
  const read = async () => ({
    argv: await readProc(host, pid, "cmdline"),
    environ: await readProc(host, pid, "environ"),
  });
  let found = await read();
  while (found.argv === "" && found.environ === "" && parent !== KTHREADD && host.clock.now() < until) {
    await host.clock.delay(1);
    found = await read();
  }
  const words = (text = "") => text.split("\0").filter((word) => word !== "");
  return { argv: words(found.argv), environ: words(found.environ) };
}

/** Undefined when the process has ended or belongs to somebody else. */
async function readProc(host: Host, pid: number, file: string): Promise<string | undefined> {
  return host.files.readText(`/proc/${pid}/${file}`).catch(() => undefined);
}
