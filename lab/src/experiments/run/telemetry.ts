/** What the stack's own counters say while it is under load: a stack's cycles by what its threads spend them on. */
import type { EngineContext } from "../../engine/context.js";
import type { LabMachine } from "../../engine/lab.js";
import { readStackGain, readStackReport, type StackGain, type StackThread } from "../../engine/stack-report.js";
import type { Values } from "../workloads.js";

type Clock = EngineContext["host"]["clock"];

/** Threads that take frames from the NIC for all; where no core is kept for that the workers do. */
const DISTRIBUTING = ["distributor", "receiver"];

/** Part of the time that counts that passes before the counters are read, and between the two looks. */
const LOOK_AFTER = 0.35;
/** More than asking for addresses and opening a connection takes: the load has begun. */
const LOAD_FRAMES = 32;
const LOOK_MS = 50;

export interface Watch {
  readonly warmupS: number;
  readonly durationS: number;
  /** Aborts when there is no load any more. */
  readonly over: AbortSignal;
}

/** What the server's stack gains in the middle of the time that counts; nothing when the load was over before. */
export async function watchLoad(server: LabMachine, clock: Clock, watch: Watch): Promise<Values | undefined> {
  const { over, warmupS, durationS } = watch;
  const frames = async () => sum((await readStackReport(server)).threads, "worker.rx_polled");
  try {
    for (const first = await frames(); (await frames()) < first + LOAD_FRAMES; ) await clock.delay(LOOK_MS, over);
    await clock.delay(1000 * warmupS, over);
    const gain = await readStackGain(server, durationS * LOOK_AFTER);
    return over.aborted ? undefined : telemetryValues(gain);
  } catch (error) {
    if (over.aborted) return undefined;
    throw error;
  }
}

/** Pure. Parts of nothing are left out: where no frame came there are no cycles for each. */
export function telemetryValues({ threads, seconds }: StackGain): Values {
  const kept = threads.filter(({ kind }) => DISTRIBUTING.includes(kind));
  const theirs = kept.length > 0 ? kept : threads.filter(({ kind }) => kind === "worker");
  const frames = sum(theirs, "worker.rx_polled");
  const cycles = total(theirs, (name) => name.startsWith("worker.cycles_"));
  const perFrame = (part: string) => sum(theirs, `worker.cycles_${part}`) / frames;
  const values: Values = {
    distributed_frames_per_second: frames / seconds,
    distributor_busy: 100 * (1 - sum(theirs, "worker.cycles_idle") / cycles),
    distributor_cycles_receive: perFrame("receive"),
    distributor_cycles_steer: perFrame("steer"),
    distributor_cycles_transmit: perFrame("transmit"),
    ring_drops_per_second: sum(threads, "steer.drop_ring_full") / seconds,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
}

function sum(threads: readonly StackThread[], counter: string): number {
  return total(threads, (name) => name === counter);
}

function total(threads: readonly StackThread[], counts: (name: string) => boolean): number {
  const all = threads.flatMap(({ counters }) => Object.entries(counters));
  return all.filter(([name]) => counts(name)).reduce((gained, [, value]) => gained + value, 0);
}
