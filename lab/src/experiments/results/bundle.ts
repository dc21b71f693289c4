/**
 * A run as one file that somebody else can check and measure again: the run, its experiment, checksums of all, and the
 * script that does it. The same run gives the same bytes.
 *
 *     NAME/run/...         as `vnflab experiment run` has left it
 *     NAME/experiment.yaml
 *     NAME/revision        commit of the repository that it was made with
 *     NAME/arguments       of `vnflab experiment run`, one a line
 *     NAME/reproduce.sh    checks, measures again, compares
 *     NAME/SHA256SUMS      of all the others
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import type { EngineContext } from "../../engine/context.js";
import { VnflabError } from "../../model/error.js";
import type { Run } from "../../model/experiment/run-folder.js";
import type { PlanOptions } from "../../model/experiment/trial.js";
import { listExperiments, loadExperiment } from "../load-experiment.js";
import { planTrials } from "../plan/plan-trials.js";
import { formatSums, SUMS } from "./checksums.js";

export interface BundleOptions {
  /** Of the experiment, when it is none of those that come with vnflab. */
  readonly experimentFile?: string;
  /** Logs and captures, which may be large, too. */
  readonly logs: boolean;
}

export interface Bundle {
  readonly file: string;
  /** Inside it. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/** Besides logs: what is small. Nothing else of a folder is taken along. */
const KEPT = /^(manifest\.json|results\.jsonl|report\.(html|md|json)|data\.csv|figures\/[^/]+)$/;
const LOGS = /^(logs|captures)\//;
const SCRIPT = "lab/reproduce/reproduce.sh";
const MOST_DEEP = 4;

interface Entry {
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

/** Throws VNF_USAGE when the experiment's file is not known, VNF_RUNS_DIFFER when it is not the run's any more. */
export async function bundleRun(
  context: Pick<EngineContext, "host">,
  run: Run,
  file: string,
  options: BundleOptions,
): Promise<Bundle> {
  const { files } = context.host;
  const source = await experimentSource(context, run, options.experimentFile);
  const text = (path: string, content: string, mode = 0o644): Entry => ({ path, content: Buffer.from(content), mode });
  const kept: Entry[] = [];
  for (const path of await filesBelow(files, run.folder)) {
    if (!KEPT.test(path) && !(options.logs && LOGS.test(path))) continue;
    const content = await files.readBytes(join(run.folder, path));
    if (content) kept.push({ path: `run/${path}`, content, mode: 0o644 });
  }
  const script = await files.readText(join(context.host.root, SCRIPT));
  if (script === undefined) throw new VnflabError("VNF_FILES", `${SCRIPT} is not there`);
  const entries = [
    ...kept,
    text("experiment.yaml", source),
    text("revision", `${run.manifest.revision.commit}\n`),
    text(
      "arguments",
      argumentsOf(run.manifest.options)
        .map((word) => `${word}\n`)
        .join(""),
    ),
    text("reproduce.sh", script, 0o755),
  ].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const sums = entries.map(({ path, content }) => ({
    path,
    sha256: createHash("sha256").update(content).digest("hex"),
  }));
  const all = [...entries, text(SUMS, formatSums(sums))];
  await files.write(file, packed(run.manifest.run, all, new Date(run.manifest.createdAt)));
  return { file, files: all.map(({ path }) => path), bytes: (await files.info(file))?.sizeBytes ?? 0 };
}

/** Paths relative to the folder, sorted. */
async function filesBelow(
  files: EngineContext["host"]["files"],
  folder: string,
  path = "",
  deep = 0,
): Promise<string[]> {
  const found: string[] = [];
  for (const name of await files.list(join(folder, path))) {
    const below = path === "" ? name : `${path}/${name}`;
    const kind = await files.kind(join(folder, below));
    if (kind === "file") found.push(below);
    if (kind === "directory" && deep < MOST_DEEP) found.push(...(await filesBelow(files, folder, below, deep + 1)));
  }
  return found;
}

/** The text of the file, which must still plan the run's trials. */
async function experimentSource(
  context: Pick<EngineContext, "host">,
  { manifest }: Run,
  experimentFile: string | undefined,
): Promise<string> {
  const { name } = manifest.experiment;
  if (experimentFile === undefined && !(await listExperiments(context)).includes(name)) {
    throw new VnflabError("VNF_USAGE", `${name} is none of vnflab's own experiments`, {
      hint: "Name its file: --experiment FILE.",
    });
  }
  const experiment = await loadExperiment(context, experimentFile ?? name);
  const ids = (trials: readonly { readonly id: string }[]) =>
    trials
      .map(({ id }) => id)
      .toSorted()
      .join();
  const file = experimentFile ?? join(context.host.root, "lab/experiments", `${name}.yaml`);
  if (ids(planTrials(experiment, manifest.options).trials) !== ids(manifest.trials)) {
    throw new VnflabError("VNF_RUNS_DIFFER", `${file} does not plan what ${manifest.run} has measured`, {
      hint: `It has changed since; take it from revision ${manifest.revision.commit} and name it: --experiment FILE.`,
    });
  }
  return (await context.host.files.readText(file)) ?? "";
}

/** As they were given to `vnflab experiment run`. */
export function argumentsOf({ quick, only, repeat, seed, machines, shard }: PlanOptions): string[] {
  return [
    ...(quick ? ["--quick"] : []),
    ...only.flatMap(({ factor, levels }) => ["--only", `${factor}=${levels.join(",")}`]),
    ...(repeat === undefined ? [] : ["--repeat", String(repeat)]),
    ...(seed === undefined ? [] : ["--seed", String(seed)]),
    ...(machines === undefined ? [] : ["--set", `machines=${machines}`]),
    ...(shard === undefined ? [] : ["--shard", `${shard.index}/${shard.count}`]),
  ];
}

/** Nothing of this host or of this moment in it: owners, times and gzip's header are always the same. */
async function* packed(name: string, entries: readonly Entry[], mtime: Date): AsyncGenerator<Uint8Array> {
  const archive = pack();
  for (const { path, content, mode } of entries) {
    archive.entry({ name: `${name}/${path}`, mode, mtime, uid: 0, gid: 0, uname: "", gname: "" }, Buffer.from(content));
  }
  archive.finalize();
  yield* archive.pipe(createGzip({ level: 9 })) as AsyncIterable<Uint8Array>;
}
