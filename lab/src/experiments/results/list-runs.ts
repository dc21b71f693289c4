/** The runs of the state folder, each with what became of its trials. */
import { join } from "node:path";
import type { EngineContext } from "../../engine/context.js";
import { asVnflabError } from "../../model/error.js";
import { listRuns, resultsRoot } from "../find-run.js";
import { readRun } from "../store.js";

type Surroundings = Pick<EngineContext, "host" | "layout">;

export interface RunSummary {
  readonly run: string;
  readonly folder: string;
  readonly experiment: string;
  readonly createdAt: string;
  readonly trials: number;
  readonly measured: number;
  readonly failed: number;
  readonly unavailable: number;
  readonly missing: number;
}

export interface UnreadableRun {
  readonly run: string;
  readonly folder: string;
  /** Why it cannot be read. */
  readonly problem: string;
}

/** The oldest first; those that are damaged among them. */
export async function summariseRuns(context: Surroundings): Promise<(RunSummary | UnreadableRun)[]> {
  const runs: (RunSummary | UnreadableRun)[] = [];
  for (const name of await listRuns(context)) {
    runs.push(await summaryOf(context.host.files, name, join(resultsRoot(context), name)));
  }
  const startOf = (one: RunSummary | UnreadableRun) => ("createdAt" in one ? one.createdAt : "");
  return runs.toSorted((a, b) => startOf(a).localeCompare(startOf(b), "en"));
}

async function summaryOf(
  files: Surroundings["host"]["files"],
  name: string,
  folder: string,
): Promise<RunSummary | UnreadableRun> {
  try {
    const { manifest, results } = await readRun(files, folder);
    const count = (status: string) => results.filter((one) => one.status === status).length;
    return {
      ...{ run: name, folder, experiment: manifest.experiment.name, createdAt: manifest.createdAt },
      ...{ trials: manifest.trials.length, measured: count("measured"), failed: count("failed") },
      ...{ unavailable: count("unavailable"), missing: manifest.trials.length - results.length },
    };
  } catch (error) {
    return { run: name, folder, problem: asVnflabError(error).message };
  }
}
