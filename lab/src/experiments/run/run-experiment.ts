/** A run from its plan to its last result, and the rest of a run that was interrupted. */
import { join, resolve } from "node:path";
import type { EngineContext } from "../../engine/context.js";
import { lockFolder } from "../../engine/lock-folder.js";
import type { Experiment } from "../../model/experiment/experiment.js";
import type { Run } from "../../model/experiment/run-folder.js";
import type { PlanOptions, Trial } from "../../model/experiment/trial.js";
import { createStore, openStore, readRun, type Store } from "../store.js";
import { judgeFitness } from "./fitness.js";
import { readHost } from "./host-readings.js";
import { makeManifest } from "./manifest.js";
import { type RunTrialsOptions, runTrials } from "./run-trials.js";

export interface RunOptions extends Omit<RunTrialsOptions, "retryFailed"> {
  /** As it is run: with all that the options change. */
  readonly experiment: Experiment;
  readonly trials: readonly Trial[];
  readonly options: PlanOptions;
  /** Absent: below the state folder, with the run's name. */
  readonly folder?: string;
  /** The run is begun: where, and what this host is fit for. */
  readonly onBegin?: (run: Pick<Run, "folder" | "manifest">) => void;
}

/**
 * Throws VNF_FILE_EXISTS when there is a run in the folder, VNF_INTERRUPTED when it is interrupted: then resumeRun() goes
 * on. A trial that fails is a result.
 */
export async function runExperiment(context: EngineContext, run: RunOptions): Promise<Run> {
  const { experiment, trials, options } = run;
  const fitness = judgeFitness(await readHost(context, trials), trials);
  const manifest = await makeManifest(context, { experiment, trials, options, fitness });
  const folder = resolve(run.folder ?? join(context.layout.stateRoot, "results", manifest.run));
  const { files } = context.host;
  await files.makeDirectory(folder);
  await using _lock = await lockFolder(context, folder, "vnflab experiment run");
  const store = await createStore(files, folder, manifest);
  run.onBegin?.({ folder, manifest });
  return finish(context, store, { ...run, retryFailed: false });
}

/** The trials that have no result yet. Throws VNF_RESULTS_INVALID, and VNF_LAB_LOCKED when the run is under way. */
export async function resumeRun(context: EngineContext, folder: string, options: RunTrialsOptions): Promise<Run> {
  const { files } = context.host;
  const path = resolve(folder);
  // Before a lock is put into a folder that may be something else.
  await readRun(files, path);
  await using _lock = await lockFolder(context, path, "vnflab experiment resume");
  return finish(context, await openStore(files, path), options);
}

async function finish(context: EngineContext, store: Store, options: RunTrialsOptions): Promise<Run> {
  try {
    await runTrials(context, store, options);
  } catch (error) {
    const { trials } = store.manifest;
    const text = `${store.results().length} of ${trials.length} trials are in ${store.folder}; \`vnflab experiment resume ${store.folder}\` goes on`;
    context.emit({ type: "note", text });
    throw error;
  }
  return readRun(context.host.files, store.folder);
}
