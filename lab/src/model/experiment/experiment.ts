/** An experiment as the other layers see it: checked, defaults filled in, units in the names. */

import type { Spread } from "../topology.js";
import type { QuantityName } from "./quantities.js";
import type { Workload } from "./workload.js";

/** All that a trial's figures depend on, as far as the experiment decides it. */
export interface Conditions {
  /** Whose TCP/IP the programs use: libmtcp, or the kernel of the machine. */
  readonly stack: "libmtcp" | "kernel";
  /** How packets reach the workers; none for the kernel, which has its own way. */
  readonly distribution: "direct" | "shared" | "1kb" | "2kb" | "none";
  /** Threads of the server's application and of the client's; the kernel gets as many CPUs. */
  readonly workers: number;
  /** Queue pairs of each machine's NIC. */
  readonly queues: number;
  /** How the switch spreads frames over the queues of a NIC. */
  readonly spread: Spread;
  /** What the device does for TCP and UDP. */
  readonly offload: "auto" | "csum" | "off";
  /** Frames taken from a queue or a ring at once, at most. */
  readonly burst: number;
  /** Frames that may wait for a worker in its ring. */
  readonly ring: number;
  /** Congestion control. */
  readonly cc: "reno" | "cubic";
  readonly workload: Workload;
  /** Bytes: of a request and of its answer (rpc, short), of a datagram (udp), of a write (bulk, file). */
  readonly payload: number;
  /** At once, of all threads. */
  readonly connections: number;
  /** Percent of the peak, sent when due; 0: as much as is answered (closed loop), which is the peak. */
  readonly load: number;
  /** Part of the frames that the link loses in each direction, 0 to 1. */
  readonly loss: number;
  /** Microseconds that the link delays in each direction. */
  readonly delay: number;
}

/** What a trial can be varied in; factors.ts says what each does. */
export type FactorName = keyof Conditions;
export type Level = string | number;
export type Levels = Readonly<Partial<Record<FactorName, Level>>>;

/** For some factors: the levels that they may have. */
export type LevelLists = Readonly<Partial<Record<FactorName, readonly Level[]>>>;

/** Of the levels: those that a rule names must go together. Either `only` holds or the combination is left out. */
export interface Constraint {
  readonly when: LevelLists;
  readonly only: Readonly<Partial<Record<FactorName, readonly Level[] | "=workers">>>;
  /** One sentence, for people. */
  readonly because: string;
}

/**
 * What should be seen if the theses and papers are right; judged on the medians of the cells. Its levels are compared
 * with the conditions of cells, so that a factor that does not vary, or follows from others, may be named as well.
 */
export type Expectation = {
  readonly name: string;
  /** One sentence. */
  readonly says: string;
  readonly quantity: QuantityName;
  /** Cells that it speaks of: those with these levels. */
  readonly where: Levels;
  /** On what it depends whether this host can tell. */
  readonly needs: readonly Comparable[];
} & (
  | {
      readonly kind: "ratio";
      readonly of: Levels;
      readonly to: Levels;
      readonly least?: number;
      readonly most?: number;
    }
  /** The levels of a factor in the order of their figures, largest first; figures within `tolerance` count as equal. */
  | { readonly kind: "order"; readonly by: FactorName; readonly order: readonly Level[]; readonly tolerance: number }
  /** Along a factor each figure is at least (grows) or at most (falls) the one before, within `tolerance`. */
  | {
      readonly kind: "trend";
      readonly along: FactorName;
      readonly direction: "grows" | "falls" | "flat";
      readonly tolerance: number;
    }
  /** From this level of a factor on nothing is gained: less than `tolerance` more than there. */
  | { readonly kind: "saturation"; readonly along: FactorName; readonly from: Level; readonly tolerance: number }
);

/** Kinds of statement that a host may be unfit for. */
export const COMPARABLE = ["absolute", "scaling", "latency", "ratio"] as const;
export type Comparable = (typeof COMPARABLE)[number];

/** A figure that somebody else has published, as data; compared in shape only. */
export interface Published {
  readonly source: string;
  readonly where: string;
  readonly setup: string;
  readonly quantity: QuantityName;
  readonly unit: string;
  readonly points: readonly { readonly levels: Levels; readonly value: number }[];
  /** Part by which a ratio of two of its points may differ from ours. */
  readonly tolerance: number;
}

export type MachineKind = "vm" | "process";

/** What is another thing in a run that is to be over soon; its levels are some of the experiment's. */
export interface Quick {
  readonly factors: LevelLists;
  readonly repetitions?: number;
  readonly warmupS?: number;
  readonly durationS?: number;
}

export interface Experiment {
  /** Of the file as well. */
  readonly name: string;
  readonly title: string;
  /** What it asks, one sentence. */
  readonly question: string;
  readonly machines: MachineKind;
  /** Those that vary, in the order of the file. */
  readonly factors: readonly { readonly name: FactorName; readonly levels: readonly Level[] }[];
  /** Those that do not. */
  readonly fixed: Levels;
  readonly constraints: readonly Constraint[];
  /** Each combination is measured so often. */
  readonly repetitions: number;
  readonly warmupS: number;
  readonly durationS: number;
  /** The order of the trials comes from it, and so does all else that is left to chance. */
  readonly seed: number;
  readonly quantities: readonly QuantityName[];
  /** As many more trials of each combination, in which the stack's own counters are read. */
  readonly telemetry: boolean;
  /** Figures of the report: a quantity along a factor, a line for each level of another. */
  readonly figures: readonly Figure[];
  readonly expected: readonly Expectation[];
  readonly published: readonly Published[];
  readonly quick: Quick;
}

export interface Figure {
  readonly title: string;
  readonly quantity: QuantityName;
  readonly x: FactorName;
  /** A line or bar group for each level; several: for each combination. */
  readonly series: readonly FactorName[];
  /** A small multiple for each level. */
  readonly facet?: FactorName;
  readonly where: Levels;
  readonly mark: "line" | "bar";
  readonly log?: readonly ("x" | "y")[];
}
