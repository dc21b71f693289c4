/**
 * What a run leaves: `manifest.json`, and `results.jsonl` with one TrialResult a line, appended and synced as each trial
 * ends. `logs/`, `report.*`, `figures/` and `data.csv` beside them can be made again from the two.
 */
import type { Comparable, Experiment, Levels } from "./experiment.js";
import type { QuantityName } from "./quantities.js";
import type { PlanOptions, Setup, Trial } from "./trial.js";

export const MANIFEST = "manifest.json";
export const RESULTS = "results.jsonl";

export interface TrialResult {
  readonly trial: string;
  readonly cell: string;
  readonly levels: Levels;
  readonly repetition: number;
  readonly telemetry: boolean;
  /** failed: `problems` says why. unavailable: it cannot be had here, whatever is tried (a process has no kernel). */
  readonly status: "measured" | "failed" | "unavailable";
  /** ISO 8601. */
  readonly startedAt: string;
  /** Of the whole trial, with its preparation. */
  readonly seconds: number;
  /** Each in the unit of its quantity. */
  readonly values: Readonly<Partial<Record<QuantityName, number>>>;
  readonly problems: readonly string[];
  /** What ran in fact, read back: distribution, workers, queues, offload, cc. */
  readonly effective: Readonly<Record<string, string | number | boolean>>;
  /** Of the host while it ran. */
  readonly host: { readonly stealPercent: number; readonly busyPercent: number };
}

export interface FitnessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, one sentence with its figures. */
  readonly detail: string;
  /** What this host's figures cannot say when it is not ok. */
  readonly forbids: readonly Comparable[];
}

export interface Fitness {
  readonly checks: readonly FitnessCheck[];
  /** What cannot be compared, and why: stands on every figure. Empty: a fit host. */
  readonly stamp: readonly string[];
  readonly forbids: readonly Comparable[];
}

/** As it ran, once for each setup. */
export interface SetupRecord {
  readonly setup: Setup;
  readonly machines: readonly {
    readonly name: string;
    /** As libvirt ran it; absent for a process. */
    readonly domainXml?: string;
    readonly commandLine?: string;
    readonly stackConf: string;
    /** Kernel and disks. */
    readonly images?: readonly { readonly path: string; readonly sha256: string }[];
  }[];
}

export interface Manifest {
  readonly schemaVersion: 1;
  /** Of the run: experiment, time of the start and some random letters. */
  readonly run: string;
  readonly createdAt: string;
  readonly experiment: Experiment;
  readonly options: PlanOptions;
  /** In the order in which they are run; a shard's: its own. */
  readonly trials: readonly Trial[];
  readonly revision: { readonly commit: string; readonly changed: boolean };
  readonly versions: Readonly<Record<string, string>>;
  readonly host: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly kernel: string;
    readonly hypervisor: boolean;
    readonly microcode?: string;
    readonly governor?: string;
    readonly mitigations: Readonly<Record<string, string>>;
  };
  readonly fitness: Fitness;
  readonly setups: readonly SetupRecord[];
  /** Of a merged run: those that it was made of. */
  readonly parts?: readonly string[];
}

/** A run that was read. */
export interface Run {
  readonly folder: string;
  readonly manifest: Manifest;
  /** The last line of each trial counts; a trial is there at most once. */
  readonly results: readonly TrialResult[];
}
