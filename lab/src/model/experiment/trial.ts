/** A trial: one measurement under one combination of levels. */
import type { Conditions, Levels, MachineKind } from "./experiment.js";

/** What must be so before a machine starts: trials that share it are run without a restart between them. */
export interface Setup {
  readonly machines: MachineKind;
  /** CPUs of each machine: as many as the trial needs that needs most. */
  readonly cpus: number;
  readonly queues: number;
  /** Lanes where there is one queue. */
  readonly spread: Conditions["spread"];
}

export interface Trial {
  /** 16 hex digits: of the experiment's name, the machines, the conditions, the repetition and whether counters are read. */
  readonly id: string;
  /** 16 hex digits: the same without the repetition. Trials of a cell are repetitions of each other. */
  readonly cell: string;
  /** Those that vary. */
  readonly levels: Levels;
  /** All. */
  readonly conditions: Conditions;
  /** From 1. */
  readonly repetition: number;
  /** Counters are read while it runs; its figures of speed do not count. */
  readonly telemetry: boolean;
  readonly setup: Setup;
  /** Cell whose median is the peak that `load` is a part of; all its trials come before this one. */
  readonly peak?: string;
}

/** What was decided on the command line, or by its default. */
export interface PlanOptions {
  readonly quick: boolean;
  readonly only: readonly { readonly factor: string; readonly levels: readonly string[] }[];
  readonly repeat?: number;
  readonly seed?: number;
  readonly machines?: MachineKind;
  /** The part `index` (from 1) of `count`. */
  readonly shard?: { readonly index: number; readonly count: number };
}
