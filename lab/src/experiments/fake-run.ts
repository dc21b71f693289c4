/** Parts of a run for tests: a small experiment, its trials, a manifest, results. */
import type { Conditions, Experiment } from "../model/experiment/experiment.js";
import type { Manifest, TrialResult } from "../model/experiment/run-folder.js";
import type { Trial } from "../model/experiment/trial.js";

export const CONDITIONS: Conditions = {
  ...{ stack: "libmtcp", distribution: "shared", workers: 1, queues: 1, spread: "lanes" },
  ...{ offload: "auto", burst: 32, ring: 1024, cc: "reno" },
  ...{ workload: "rpc", payload: 64, connections: 10, load: 0, loss: 0, delay: 0 },
};

export const EXPERIMENT: Experiment = {
  ...{ name: "small", title: "small", question: "Does it run?", machines: "process" },
  factors: [{ name: "workers", levels: [1, 2] }],
  ...{ fixed: {}, constraints: [], repetitions: 2, warmupS: 1, durationS: 2, seed: 1 },
  ...{ quantities: ["requests_per_second"], telemetry: false, figures: [], expected: [], published: [] },
  quick: { factors: {} },
};

/** `number` becomes its id; the cell is that of its workers. */
export function makeTrial(number: number, more: Partial<Trial> = {}, conditions: Partial<Conditions> = {}): Trial {
  const all = { ...CONDITIONS, ...conditions };
  return {
    id: number.toString(16).padStart(16, "0"),
    cell: all.workers.toString(16).padStart(16, "c"),
    levels: { workers: all.workers },
    conditions: all,
    ...{ repetition: 1, telemetry: false },
    setup: { machines: "process", cpus: all.workers, queues: all.queues, spread: "lanes" },
    ...more,
  };
}

export function makeManifest(trials: readonly Trial[], more: Partial<Manifest> = {}): Manifest {
  return {
    ...{ schemaVersion: 1, run: "small-20260101-abcd", createdAt: "2026-01-01T00:00:00.000Z", experiment: EXPERIMENT },
    ...{ options: { quick: false, only: [] }, trials, revision: { commit: "unknown", changed: false }, versions: {} },
    host: { cpu: "a test", cores: 4, memoryGb: 8, kernel: "6.1", hypervisor: false, mitigations: {} },
    ...{ fitness: { checks: [], stamp: [], forbids: [] }, setups: [] },
    ...more,
  };
}

export function makeResult(
  { id, cell, levels, repetition, telemetry }: Trial,
  more: Partial<TrialResult> = {},
): TrialResult {
  return {
    ...{ trial: id, cell, levels, repetition, telemetry },
    ...{ status: "measured", startedAt: "2026-01-01T00:00:00.000Z", seconds: 4, values: { requests_per_second: 100 } },
    ...{ problems: [], effective: {}, host: { stealPercent: 0, busyPercent: 50 } },
    ...more,
  };
}
