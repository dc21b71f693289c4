/** Whether a run's folder is what it says: every byte as summed, every trial there, once, and as it was planned. */
import { basename, dirname, join } from "node:path";
import type { EngineContext } from "../../engine/context.js";
import { asVnflabError } from "../../model/error.js";
import { FACTOR_NAMES } from "../../model/experiment/factors.js";
import { RESULTS, type Run, type TrialResult } from "../../model/experiment/run-folder.js";
import type { Trial } from "../../model/experiment/trial.js";
import { fileSum } from "../file-sum.js";
import { planTrials } from "../plan/plan-trials.js";
import { groupBy } from "../statistics/group-by.js";
import { readRun } from "../store.js";
import { parseSums, SUMS } from "./checksums.js";

type Files = EngineContext["host"]["files"];

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** One sentence. */
  readonly detail: string;
}

/** Faults of one kind that are told. */
const MOST_TOLD = 3;

/** Never throws because of what the folder holds. */
export async function verifyRun(files: Files, folder: string): Promise<Check[]> {
  const sums = await checkSums(files, folder);
  try {
    const run = await readRun(files, folder);
    const lines = await trialsOfLines(files, folder);
    return [
      ...sums,
      { name: "readable", ok: true, detail: `${run.results.length} results of ${run.manifest.trials.length} trials` },
      once(lines),
      complete(run),
      planned(run),
      asPlanned(run),
      effective(run),
    ];
  } catch (error) {
    return [...sums, { name: "readable", ok: false, detail: asVnflabError(error).message }];
  }
}

/** A folder that was never bundled has no sums, and nothing to check. */
async function checkSums(files: Files, folder: string): Promise<Check[]> {
  // In a bundle the sums stand beside the run's folder.
  const places = [folder, ...(basename(folder) === "run" ? [dirname(folder)] : [])];
  const found = await Promise.all(places.map(async (at) => (await files.kind(join(at, SUMS))) === "file"));
  const place = places[found.indexOf(true)];
  if (place === undefined) return [];
  const faults: string[] = [];
  const sums = parseSums((await files.readText(join(place, SUMS))) ?? "");
  if (sums === undefined) return [{ name: "checksums", ok: false, detail: `${SUMS} is not a list of SHA-256 sums` }];
  for (const { path, sha256 } of sums) {
    if ((await files.kind(join(place, path))) !== "file") faults.push(`${path} is not there`);
    else if ((await fileSum(files, join(place, path))) !== sha256) faults.push(`${path} has changed`);
  }
  return [checkOf("checksums", faults, `${sums.length} files as in ${SUMS}`)];
}

async function trialsOfLines(files: Files, folder: string): Promise<TrialResult[]> {
  const text = (await files.readText(join(folder, RESULTS))) ?? "";
  // readRun() has found each whole line to be a result.
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TrialResult);
}

/** A trial that failed may be run again; one that was measured may not. */
function once(lines: readonly TrialResult[]): Check {
  const faults = [...groupBy(lines, ({ trial }) => trial)]
    .filter(([, of]) => of.slice(0, -1).some(({ status }) => status === "measured"))
    .map(([trial, of]) => `trial ${trial} has ${of.length} lines`);
  return checkOf("each trial once", faults, "no trial that was measured has another line");
}

function complete({ manifest, results }: Run): Check {
  const had = new Set(results.map(({ trial }) => trial));
  const missing = manifest.trials.filter(({ id }) => !had.has(id)).map(({ id }) => `trial ${id} has no result`);
  return checkOf("complete", missing, "each trial has a result");
}

/** The plan follows from the experiment and the options alone, except where levels were left out by hand. */
function planned({ manifest: { experiment, options, trials } }: Run): Check {
  const ids = new Set(trials.map(({ id }) => id));
  if (ids.size < trials.length) return checkOf("plan", ["a trial is planned twice"], "");
  if (options.only.length > 0) return { name: "plan", ok: true, detail: `${ids.size} trials, some left out by --only` };
  const again = planTrials(experiment, options).trials.map(({ id }) => id);
  const faults = [
    ...again.filter((id) => !ids.has(id)).map((id) => `trial ${id} of the experiment is not planned`),
    ...[...ids].filter((id) => !again.includes(id)).map((id) => `trial ${id} is none of the experiment`),
  ];
  return checkOf("plan", faults, `${ids.size} trials, as planned anew from the experiment and the options`);
}

function asPlanned({ manifest, results }: Run): Check {
  const trials = new Map(manifest.trials.map((trial) => [trial.id, trial]));
  const faults = results
    .filter((result) => {
      const trial = trials.get(result.trial) as Trial;
      const { cell, repetition, telemetry, levels } = trial;
      const same = cell === result.cell && repetition === result.repetition && telemetry === result.telemetry;
      return !same || FACTOR_NAMES.some((name) => levels[name] !== result.levels[name]);
    })
    .map(({ trial }) => `the result of trial ${trial} is of another cell or repetition`);
  return checkOf("results of the plan", faults, "each result has its trial's cell, levels and repetition");
}

/** What a stack or a kernel has said that it ran as. */
const SAID = ["distribution", "workers", "queues", "cc"] as const;

function effective({ manifest, results }: Run): Check {
  const trials = new Map(manifest.trials.map((trial) => [trial.id, trial]));
  const faults = results
    .filter(({ status }) => status === "measured")
    .flatMap(({ trial: id, effective: had }) => {
      const { conditions } = trials.get(id) as Trial;
      return SAID.filter((name) => had[name] !== undefined && had[name] !== conditions[name]).map(
        (name) => `trial ${id} ran with ${name} ${had[name]}, wanted ${conditions[name]}`,
      );
    });
  return checkOf("effective", faults, "what ran is what was wanted");
}

function checkOf(name: string, faults: readonly string[], detail: string): Check {
  if (faults.length === 0) return { name, ok: true, detail };
  const more = faults.length > MOST_TOLD ? `; and ${faults.length - MOST_TOLD} more` : "";
  return { name, ok: false, detail: `${faults.slice(0, MOST_TOLD).join("; ")}${more}` };
}
