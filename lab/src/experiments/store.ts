/**
 * A run's folder, written and read. A result is on the disk before the next trial begins; a crash in the middle of a
 * line costs that line alone, and so one trial, which is run again.
 */
import { join } from "node:path";
import type { z } from "zod";
import type { EngineContext } from "../engine/context.js";
import { VnflabError } from "../model/error.js";
import {
  MANIFEST,
  type Manifest,
  RESULTS,
  type Run,
  type SetupRecord,
  type TrialResult,
} from "../model/experiment/run-folder.js";
import { manifestSchema, trialResultSchema } from "./run-folder-schema.js";

type Files = EngineContext["host"]["files"];

/** Far more than a run has; a file that is larger is none of ours, and would fill the memory. */
const MOST_BYTES = 128 * 1024 * 1024;
/** Problems of one file that are told. */
const MOST_TOLD = 5;

export interface Store {
  readonly folder: string;
  readonly manifest: Manifest;
  /** The last line of each trial, in the order of the first ones. */
  results(): readonly TrialResult[];
  /** Returns when it is on the disk. */
  append(result: TrialResult): Promise<void>;
  /** What a setup was in fact; once for each, a later one of the same setup does not count. */
  addSetup(record: SetupRecord): Promise<void>;
}

/** Throws VNF_FILE_EXISTS when there is a run in the folder already. */
export async function createStore(files: Files, folder: string, manifest: Manifest): Promise<Store> {
  await files.makeDirectory(folder);
  if (!(await files.createExclusive(join(folder, MANIFEST), textOf(manifest)))) {
    throw new VnflabError("VNF_FILE_EXISTS", `${folder} holds a run already`, {
      hint: `Choose another folder, or go on with that run: \`vnflab experiment resume ${folder}\`.`,
    });
  }
  return openStore(files, folder);
}

/** To go on with a run; a line that was cut short is removed. Throws VNF_RESULTS_INVALID for a damaged folder. */
export async function openStore(files: Files, folder: string): Promise<Store> {
  const run = await readRun(files, folder);
  const file = join(folder, RESULTS);
  const { whole, torn } = wholeLines((await files.readText(file)) ?? "");
  if (torn !== "") await files.write(file, whole);
  let { manifest } = run;
  const results = new Map(run.results.map((result) => [result.trial, result]));
  return {
    folder,
    get manifest() {
      return manifest;
    },
    results: () => [...results.values()],
    async append(result) {
      if (!trialResultSchema.safeParse(result).success) {
        throw new VnflabError("VNF_INTERNAL", `the result of trial ${result.trial} could not be read again`);
      }
      await files.append(file, `${JSON.stringify(result)}\n`);
      results.set(result.trial, result);
    },
    async addSetup(record) {
      const key = JSON.stringify(record.setup);
      if (manifest.setups.some(({ setup }) => JSON.stringify(setup) === key)) return;
      manifest = { ...manifest, setups: [...manifest.setups, record] };
      await files.write(join(folder, MANIFEST), textOf(manifest));
    },
  };
}

/**
 * A run as it is by now. Throws VNF_RESULTS_INVALID, with file and line, when the folder holds no run or something that
 * is none.
 */
export async function readRun(files: Files, folder: string): Promise<Run> {
  const manifest = await readManifest(files, folder);
  const file = join(folder, RESULTS);
  const known = new Set(manifest.trials.map(({ id }) => id));
  const results = new Map<string, TrialResult>();
  const { whole } = wholeLines((await readLimited(files, file)) ?? "");
  for (const [index, line] of whole.split("\n").slice(0, -1).entries()) {
    const where = `${file}, line ${index + 1}`;
    const result = parse(trialResultSchema, line, where);
    if (!known.has(result.trial)) throw invalid(where, `the run has no trial ${result.trial}`);
    results.set(result.trial, result);
  }
  return { folder, manifest, results: [...results.values()] };
}

async function readManifest(files: Files, folder: string): Promise<Manifest> {
  const file = join(folder, MANIFEST);
  const text = await readLimited(files, file);
  if (text === undefined) throw invalid(folder, `no run: there is no ${MANIFEST}`);
  return parse(manifestSchema, text, file);
}

async function readLimited(files: Files, file: string): Promise<string | undefined> {
  const info = await files.info(file);
  if (info === undefined) return undefined;
  if (info.kind !== "file") throw invalid(file, "not a file");
  if (info.sizeBytes > MOST_BYTES) throw invalid(file, `larger than ${MOST_BYTES / 1024 / 1024} MiB`);
  return files.readText(file);
}

function parse<T>(schema: z.ZodType<T>, text: string, where: string): T {
  const { success, data, error } = schema.safeParse(parseJson(text, where));
  if (success) return data;
  const told = error.issues.slice(0, MOST_TOLD).map(({ path, message }) => `${path.map(String).join(".")}: ${message}`);
  throw invalid(where, told.join("; "));
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid(where, "not JSON", cause);
  }
}

function invalid(where: string, why: string, cause?: unknown): VnflabError {
  return new VnflabError("VNF_RESULTS_INVALID", `${where}: ${why}`, { cause });
}

/** What follows the last line end was being written when the run was killed. */
function wholeLines(text: string): { readonly whole: string; readonly torn: string } {
  const end = text.lastIndexOf("\n") + 1;
  return { whole: text.slice(0, end), torn: text.slice(end) };
}

function textOf(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
