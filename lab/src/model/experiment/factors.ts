/**
 * The factors: what a trial can be varied in. The one table: the schema of experiments, the checks of their levels, the
 * command line, the pages in docs/experiments and the labels of figures come from it.
 */
import { dedicatedCores, usualQueues } from "../distribution.js";
import { SPREADS } from "../topology.js";
import { parsePercent, parseTimeUs } from "../units.js";
import type { Conditions, FactorName, Level } from "./experiment.js";
import { WORKLOADS, type Workload } from "./workload.js";

/** Numbers are written plainly, a share as `1%`, a time as `10ms`. */
export type LevelKind =
  | { readonly kind: "choice"; readonly of: readonly string[] }
  | { readonly kind: "whole"; readonly least: number; readonly most: number }
  | { readonly kind: "share"; readonly most: number }
  | { readonly kind: "time"; readonly mostUs: number };

export interface Factor {
  readonly title: string;
  /** Of a number; empty when it has none. */
  readonly unit: string;
  /** What it is, one sentence. */
  readonly meaning: string;
  /** Where it ends: the key of stack.conf, the property of the link, the option of the programs. */
  readonly endsIn: string;
  readonly levels: LevelKind;
  /** When the experiment does not say; `chosen` has all factors that stand before it in the table. */
  usual(chosen: Conditions): Level;
  /** `usual` in words, when it is no fixed level. */
  readonly usualWords?: string;
}

const whole = (least: number, most: number): LevelKind => ({ kind: "whole", least, most });

interface Shape {
  readonly payload: number;
  /** Bytes that the programs take. */
  readonly least: number;
  readonly most: number;
  readonly connections: number;
}

/** What the programs are asked to do when the experiment does not say. */
export const SHAPES: Readonly<Record<Workload, Shape>> = {
  rpc: { payload: 64, least: 8, most: 65_536, connections: 64 },
  short: { payload: 64, least: 8, most: 65_536, connections: 64 },
  udp: { payload: 1400, least: 16, most: 65_507, connections: 16 },
  bulk: { payload: 1448, least: 1, most: 65_536, connections: 16 },
  file: { payload: 1448, least: 1, most: 65_536, connections: 4 },
};

const perWorkload = (of: (shape: Shape) => number) =>
  WORKLOADS.map((workload) => `${workload} ${of(SHAPES[workload])}`).join(", ");

export const FACTORS: Readonly<Record<FactorName, Factor>> = {
  stack: {
    title: "stack",
    unit: "",
    meaning: "Whose TCP/IP the programs use: libmtcp on DPDK, or the kernel of the virtual machine.",
    endsIn: "the program: NAME or NAME-kernel, and who drives the card",
    levels: { kind: "choice", of: ["libmtcp", "kernel"] },
    usual: () => "libmtcp",
  },
  distribution: {
    title: "distribution",
    unit: "",
    meaning:
      "How packets reach the workers: a queue each (direct), whoever finds the queue free empties it for all (shared), one " +
      "core that does nothing else (1kb), two of them (2kb); none: the kernel in its own way.",
    endsIn: "stack.conf `distribution`",
    levels: { kind: "choice", of: ["none", "direct", "shared", "1kb", "2kb"] },
    usual: ({ stack }) => (stack === "kernel" ? "none" : "shared"),
    usualWords: "shared; the kernel none",
  },
  workers: {
    title: "workers",
    unit: "",
    meaning: "Threads of the application in each machine, with a CPU each; the kernel gets as many CPUs.",
    endsIn: "stack.conf `num_cores`, with the cores that only distribute",
    levels: whole(1, 32),
    usual: () => 1,
  },
  queues: {
    title: "queues",
    unit: "",
    meaning: "Queue pairs of each machine's NIC.",
    endsIn: "the lab's `queues`: the vport and the NIC of the machine; stack.conf `queues`",
    levels: whole(1, 32),
    usual: ({ distribution, workers }) => usualQueues(distribution === "none" ? "auto" : distribution, workers),
    usualWords: "as many as workers for direct and the kernel, otherwise 1",
  },
  spread: {
    title: "switch",
    unit: "",
    meaning:
      "How the switch spreads frames over the queues of a NIC: from the sender's queue q by queue q (lanes), or by a " +
      "hash of their flow, as a card does (hash).",
    endsIn: "the link's `spread`",
    levels: { kind: "choice", of: SPREADS },
    usual: () => "lanes",
  },
  offload: {
    title: "offload",
    unit: "",
    meaning: "What the device does for TCP and UDP: all it can (auto), checksums only, nothing.",
    endsIn: "stack.conf `offload`",
    levels: { kind: "choice", of: ["auto", "csum", "off"] },
    usual: () => "auto",
  },
  burst: {
    title: "burst",
    unit: "frames",
    meaning: "Frames taken from a queue or a ring at once, at most.",
    endsIn: "stack.conf `burst`",
    levels: whole(1, 64),
    usual: () => 64,
  },
  ring: {
    title: "ring",
    unit: "frames",
    meaning: "Frames that may wait for a worker in each of its rings.",
    endsIn: "stack.conf `steer_ring`",
    levels: whole(16, 65_536),
    usual: () => 1024,
  },
  cc: {
    title: "congestion control",
    unit: "",
    meaning: "Congestion control of TCP at both ends.",
    endsIn: "stack.conf `cc`; the kernel: net.ipv4.tcp_congestion_control",
    levels: { kind: "choice", of: ["reno", "cubic"] },
    usual: ({ stack }) => (stack === "kernel" ? "cubic" : "reno"),
    usualWords: "reno; the kernel cubic, which is its own default",
  },
  workload: {
    title: "workload",
    unit: "",
    meaning:
      "What the programs do: requests and answers on connections that stay (rpc) or that are opened for one (short), " +
      "datagrams (udp), streams (bulk), streams of a file from server to client (file).",
    endsIn: "which programs run: rpc_server and rpc_client, udp_sink and udp_source, tcp_sink and tcp_source",
    levels: { kind: "choice", of: WORKLOADS },
    usual: () => "rpc",
  },
  payload: {
    title: "payload",
    unit: "bytes",
    meaning: "Of a request and of its answer (rpc, short), of a datagram (udp), of a write (bulk, file).",
    endsIn: "an option of the programs",
    levels: whole(1, 65_536),
    usual: ({ workload }) => SHAPES[workload].payload,
    usualWords: perWorkload(({ payload }) => payload),
  },
  connections: {
    title: "connections",
    unit: "",
    meaning: "At once, of all threads of the client together; udp: flows, each with a socket.",
    endsIn: "an option of the programs",
    levels: whole(1, 1_000_000),
    usual: ({ workload }) => SHAPES[workload].connections,
    usualWords: perWorkload(({ connections }) => connections),
  },
  load: {
    title: "load",
    unit: "% of the peak",
    meaning:
      "Requests sent, as a part of the peak under the same conditions, each when it is due whatever became of those " +
      "before (open loop); 0: the peak itself, each connection asks as soon as it was answered (closed loop).",
    endsIn: "rpc_client `-r`: load x median of the peak's trials",
    levels: whole(0, 200),
    usual: () => 0,
  },
  loss: {
    title: "loss",
    unit: "",
    meaning: "Part of the frames that the link loses, in each direction.",
    endsIn: "the link's `impair.loss`",
    levels: { kind: "share", most: 0.5 },
    usual: () => 0,
  },
  delay: {
    title: "delay",
    unit: "us",
    meaning: "That the link adds, in each direction.",
    endsIn: "the link's `impair.delay`",
    levels: { kind: "time", mostUs: 1_000_000 },
    usual: () => 0,
  },
};

/** In the order of the table. */
export const FACTOR_NAMES = Object.keys(FACTORS) as readonly FactorName[];

export function isFactorName(name: string): name is FactorName {
  return Object.hasOwn(FACTORS, name);
}

/** A level as a person writes it -> as it is kept; undefined: it is none. */
export function parseLevel({ levels }: Factor, text: string): Level | undefined {
  switch (levels.kind) {
    case "choice":
      return levels.of.includes(text) ? text : undefined;
    case "whole":
      return /^\d{1,9}$/.test(text) ? within(Number(text), levels.least, levels.most) : undefined;
    case "share":
      return within(parsePercent(text), 0, levels.most);
    case "time":
      return within(parseTimeUs(text), 0, levels.mostUs);
  }
}

function within(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

/** As a person writes it: `1kb`, `64`, `0.1%`, `10ms`. */
export function formatLevel(name: FactorName, level: Level): string {
  const { levels } = FACTORS[name];
  if (levels.kind === "share") return `${Number((Number(level) * 100).toPrecision(6))}%`;
  if (levels.kind === "time") return formatTime(Number(level));
  return String(level);
}

function formatTime(us: number): string {
  if (us >= 1_000_000 && us % 1000 === 0) return `${us / 1_000_000}s`;
  return us >= 1000 ? `${us / 1000}ms` : `${us}us`;
}

/** Which levels a factor can have, in words: for messages and pages. */
export function levelsInWords({ levels }: Factor): string {
  switch (levels.kind) {
    case "choice":
      return levels.of.join(", ");
    case "whole":
      return `a whole number from ${levels.least} to ${levels.most}`;
    case "share":
      return `a share from 0% to ${levels.most * 100}%, such as 0.1%`;
    case "time":
      return `a time from 0us to ${formatTime(levels.mostUs)}, such as 10ms`;
  }
}

/** All conditions, the usual where nothing is chosen. */
export function completeConditions(chosen: Readonly<Partial<Record<FactorName, Level>>>): Conditions {
  const all: Partial<Record<FactorName, Level>> = {};
  // In the order of the table: what is usual may depend on what stands before it.
  for (const name of FACTOR_NAMES) all[name] = chosen[name] ?? FACTORS[name].usual(all as Conditions);
  return all as Conditions;
}

/** CPUs that a machine needs for it. */
export function cpusOf({ distribution, workers }: Conditions): number {
  return workers + (distribution === "none" ? 0 : dedicatedCores(distribution));
}
