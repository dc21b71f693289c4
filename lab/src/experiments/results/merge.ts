/** Several runs of one plan, such as the shards of several hosts or two halves of an interrupted one -> one run. */
import { basename, join, resolve } from "node:path";
import type { EngineContext } from "../../engine/context.js";
import { VnflabError } from "../../model/error.js";
import type { Experiment } from "../../model/experiment/experiment.js";
import { type Manifest, RESULTS, type Run, type TrialResult } from "../../model/experiment/run-folder.js";
import type { PlanOptions, Trial } from "../../model/experiment/trial.js";
import { orderTrials } from "../plan/order.js";
import { planTrials } from "../plan/plan-trials.js";
import { createStore, readRun } from "../store.js";

type Files = EngineContext["host"]["files"];

export interface MergeOptions {
  /** Runs of hosts that are not alike may be merged: a cell then has figures of several. */
  readonly allowOtherHost: boolean;
}

/**
 * A new run in a folder of its own; logs stay with the parts. Throws VNF_RUNS_DIFFER when the parts are not of one plan,
 * revision and host, a shard is missing, or a trial has two results that differ; VNF_FILE_EXISTS when a run is there.
 */
export async function mergeRuns(
  files: Files,
  out: string,
  folders: readonly string[],
  options: MergeOptions,
): Promise<Run> {
  const runs: Run[] = [];
  for (const folder of folders) runs.push(await readRun(files, folder));
  const [first, ...others] = runs;
  if (!first) throw new VnflabError("VNF_USAGE", "nothing to merge");
  for (const other of others) refuseStranger(first, other, options);
  const shards = wholeOf(runs);
  const folder = resolve(out);
  const manifest = mergedManifest(basename(folder), runs, shards);
  const results = mergedResults(runs, manifest.trials);
  await createStore(files, folder, manifest);
  await files.write(join(folder, RESULTS), results.map((result) => `${JSON.stringify(result)}\n`).join(""));
  return readRun(files, folder);
}

function refuseStranger(first: Run, other: Run, { allowOtherHost }: MergeOptions): void {
  const what = `${first.folder} and ${other.folder}`;
  const differs = (of: (manifest: Manifest) => unknown) => sorted(of(first.manifest)) !== sorted(of(other.manifest));
  const refuse = (why: string, hint?: string) => {
    throw new VnflabError("VNF_RUNS_DIFFER", `${what}: ${why}`, hint === undefined ? {} : { hint });
  };
  if (differs(({ experiment }) => experiment)) refuse("not of the same experiment");
  if (differs(({ options: { shard: _, ...rest } }) => rest)) refuse("made with other options");
  if (differs(({ revision }) => revision)) refuse("made by other revisions of vnflab");
  if (!allowOtherHost && differs(({ host: { cpu, cores, memoryGb, kernel } }) => ({ cpu, cores, memoryGb, kernel }))) {
    refuse("made on hosts that are not alike", "With --allow-other-host they are merged all the same.");
  }
}

/** JSON in which the order of keys does not count. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** The options of the whole. */
function wholeOf(runs: readonly Run[]): PlanOptions {
  const { shard: _, ...options } = (runs[0] as Run).manifest.options;
  const shards = runs.map(({ manifest }) => manifest.options.shard);
  if (shards.some((shard) => shard === undefined)) {
    const whole = shards.every((shard) => shard === undefined);
    if (whole) return options;
    throw new VnflabError("VNF_RUNS_DIFFER", "some are shards of the plan, others are of the whole");
  }
  const counts = new Set(shards.map((shard) => shard?.count));
  if (counts.size > 1) throw new VnflabError("VNF_RUNS_DIFFER", "their plans are divided into other numbers of shards");
  const [count = 0] = counts;
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter(
    (index) => !shards.some((shard) => shard?.index === index),
  );
  if (missing.length === 0) return options;
  throw new VnflabError("VNF_RUNS_DIFFER", `shard ${missing.join(", ")} of ${count} is missing`, {
    hint: "Name the runs of all shards.",
  });
}

function mergedManifest(run: string, runs: readonly Run[], options: PlanOptions): Manifest {
  const manifests = runs.map(({ manifest }) => manifest);
  const first = manifests[0] as Manifest;
  const trials = new Map(manifests.flatMap((one) => one.trials.map((trial) => [trial.id, trial] as const)));
  return {
    ...first,
    ...{ run, options, trials: inOrder([...trials.values()], first.experiment, options) },
    createdAt: manifests.map(({ createdAt }) => createdAt).toSorted()[0] as string,
    fitness: {
      checks: unique(manifests.flatMap(({ fitness }) => fitness.checks)),
      stamp: unique(manifests.flatMap(({ fitness }) => fitness.stamp)),
      forbids: unique(manifests.flatMap(({ fitness }) => fitness.forbids)),
    },
    setups: uniqueBy(
      manifests.flatMap(({ setups }) => setups),
      ({ setup }) => sorted(setup),
    ),
    parts: unique(manifests.flatMap((one) => one.parts ?? [one.run])),
  };
}

/** As the whole would have been planned; where levels were left out by hand that can no longer be known. */
function inOrder(trials: readonly Trial[], experiment: Experiment, options: PlanOptions): readonly Trial[] {
  const whole = planTrials(experiment, options).trials;
  const ids = new Set(trials.map(({ id }) => id));
  const same = whole.length === ids.size && whole.every(({ id }) => ids.has(id));
  return same ? whole : orderTrials(trials, experiment.seed);
}

function unique<T>(all: readonly T[]): T[] {
  return uniqueBy(all, sorted);
}

function uniqueBy<T>(all: readonly T[], keyOf: (one: T) => string): T[] {
  return [...new Map(all.toReversed().map((one) => [keyOf(one), one])).values()].toReversed();
}

/** In the order in which they were measured. The same result in two parts is one; of two that differ none is right. */
function mergedResults(runs: readonly Run[], trials: readonly Trial[]): TrialResult[] {
  const results = new Map<string, TrialResult>();
  for (const { folder, results: some } of runs) {
    for (const result of some) {
      const had = results.get(result.trial);
      if (had && sorted(had) !== sorted(result)) {
        throw new VnflabError(
          "VNF_RUNS_DIFFER",
          `${folder}: trial ${result.trial} has another result in another part`,
          {
            hint: "Merge parts of one run; whole runs of the same plan are compared: `vnflab results compare A B`.",
          },
        );
      }
      results.set(result.trial, result);
    }
  }
  const known = new Set(trials.map(({ id }) => id));
  return [...results.values()]
    .filter(({ trial }) => known.has(trial))
    .toSorted((a, b) => a.startedAt.localeCompare(b.startedAt, "en"));
}
