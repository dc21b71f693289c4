/** Where the processor time of a lab goes, and what passes its ports: two looks and what lies between them. */
import type { EngineContext } from "./context.js";
import { Lab } from "./lab.js";

/** Since each thread or port began. */
export interface Counters {
  readonly atMs: number;
  readonly threads: readonly ThreadTime[];
  readonly ports: readonly { name: string; received: number; sent: number; dropped: number }[];
}

export interface ThreadTime {
  /** A machine's name, or "switch". */
  readonly owner: string;
  /** "vcpu 0", "worker 1", or "other" for what is none of these. */
  readonly what: string;
  /** The thread itself: of one that was started anew the time begins anew. */
  readonly id: string;
  readonly cpuMs: number;
}

export interface Sample {
  readonly schemaVersion: 1;
  readonly time: string;
  readonly lab: string;
  readonly seconds: number;
  /** Of one core; 100 is all of it. */
  readonly cpu: readonly { readonly owner: string; readonly what: string; readonly percent: number }[];
  /** Frames a second from the machine, to it, and not taken by it. */
  readonly ports: readonly { name: string; received: number; sent: number; dropped: number }[];
}

/** Linux has had 100 clock ticks a second in /proc on every machine that this runs on. */
const TICK_MS = 10;

/** Thread names of QEMU, vportd and the stack's dedicated threads. */
const NAMES: readonly (readonly [RegExp, (index: string) => string])[] = [
  [/^CPU (\d+)\//, (index) => `vcpu ${index}`],
  [/^vportd-w(\d+)$/, (index) => `worker ${index}`],
];

async function readCounters(context: EngineContext, name: string): Promise<Counters> {
  const lab = await Lab.open(context, name);
  const sw = await lab.switchState();
  const owners = await Promise.all(
    lab.machines.map(async (machine) => {
      const { pids = [] } = await machine.observe();
      return { owner: machine.name, pids, placed: machine.spec };
    }),
  );
  const all = [...owners, { owner: "switch", pids: sw.pid === undefined ? [] : [sw.pid], placed: lab.record.switch }];
  const threads = await Promise.all(
    all.flatMap(({ owner, pids, placed }) => pids.map((pid) => threadsOf(context.hostOf(placed).files, owner, pid))),
  );
  const ports = sw.ports.map(({ name: port, received, sent, dropped }) => ({ name: port, received, sent, dropped }));
  return { atMs: context.host.clock.now(), threads: threads.flat(), ports };
}

async function threadsOf(files: EngineContext["host"]["files"], owner: string, pid: number): Promise<ThreadTime[]> {
  const folder = `/proc/${pid}/task`;
  const found = await Promise.all(
    (await files.list(folder)).map(async (tid): Promise<ThreadTime[]> => {
      const [stat, comm] = await Promise.all([
        files.readText(`${folder}/${tid}/stat`),
        files.readText(`${folder}/${tid}/comm`),
      ]);
      // It may have ended between the list and the look.
      if (stat === undefined) return [];
      return [{ owner, what: whatIs(comm?.trim() ?? ""), id: `${pid}/${tid}`, cpuMs: cpuMsOf(stat) }];
    }),
  );
  return found.flat();
}

function whatIs(comm: string): string {
  for (const [pattern, format] of NAMES) {
    const match = pattern.exec(comm);
    if (match) return format(match[1] ?? "");
  }
  return "other";
}

/** utime and stime, fields 14 and 15; the name, field 2, may hold anything. */
function cpuMsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** What lies between two looks. */
function sampleBetween(lab: string, time: Date, before: Counters, after: Counters): Sample {
  const ms = Math.max(1, after.atMs - before.atMs);
  const earlier = new Map(before.threads.map(({ id, cpuMs }) => [id, cpuMs]));
  const sums = new Map<string, { owner: string; what: string; cpuMs: number }>();
  for (const { owner, what, id, cpuMs } of after.threads) {
    const sum = sums.get(`${owner} ${what}`) ?? { owner, what, cpuMs: 0 };
    sum.cpuMs += cpuMs - Math.min(earlier.get(id) ?? 0, cpuMs);
    sums.set(`${owner} ${what}`, sum);
  }
  const known = new Map(before.ports.map((port) => [port.name, port]));
  const perSecond = (now: number, then = 0) => Math.round((Math.max(0, now - then) * 1000) / ms);
  return {
    schemaVersion: 1,
    time: time.toISOString(),
    lab,
    seconds: ms / 1000,
    cpu: [...sums.values()].map(({ owner, what, cpuMs }) => ({
      owner,
      what,
      percent: Math.round((cpuMs * 1000) / ms) / 10,
    })),
    ports: after.ports.map(({ name, received, sent, dropped }) => {
      const then = known.get(name);
      return {
        name,
        received: perSecond(received, then?.received),
        sent: perSecond(sent, then?.sent),
        dropped: perSecond(dropped, then?.dropped),
      };
    }),
  };
}

/** Samples until the signal aborts, or so many. */
export async function* watchTop(
  context: EngineContext,
  lab: string,
  options: { readonly intervalMs: number; readonly count: number; readonly signal: AbortSignal },
): AsyncGenerator<Sample> {
  const { clock } = context.host;
  let before = await readCounters(context, lab);
  for (let taken = 0; taken < options.count; taken++) {
    await clock.delay(options.intervalMs, options.signal).catch(() => {});
    if (options.signal.aborted) return;
    const after = await readCounters(context, lab);
    yield sampleBetween(lab, clock.wallTime(), before, after);
    before = after;
  }
}
