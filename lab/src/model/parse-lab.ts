/** The texts of a lab -> Topology. All problems are reported together, each with file, line, column and key. */
import { dirname, resolve } from "node:path";
import { checkFile, crossCheck } from "./cross-check.js";
import { VnflabError } from "./error.js";
import { LabSource } from "./lab-source.js";
import { deepMerge } from "./merge.js";
import { normalise, type ResolvePath } from "./normalise.js";
import { explainIssue, type Located, type Path, type Problem, problemLines } from "./problem.js";
import { labSchema } from "./schema.js";
import { applySetting, type Setting } from "./setting.js";
import type { Topology } from "./topology.js";

/** What a lab is made of, the later word winning: what the file includes, in order, the file itself, settings. */
export interface LabSources {
  readonly main: LabSource;
  readonly included: readonly LabSource[];
  readonly settings: readonly Setting[];
  /** What paths in settings are relative to. */
  readonly cwd: string;
}

/** A lab of one file. `file` is the absolute path of the text: for messages, and for the paths that it names. */
export function parseLab(text: string, file: string): Topology {
  return assembleLab({ main: parseSource(file, text), included: [], settings: [], cwd: dirname(file) });
}

/** Throws VNF_LAB_INVALID when the text is not YAML. */
export function parseSource(file: string, text: string): LabSource {
  return LabSource.parse(file, text, (at, message) => refused([{ file, at, path: [], message }]));
}

export function assembleLab(sources: LabSources): Topology {
  const merged = filesOf(sources)
    .map(({ value }) => value)
    .reduce(deepMerge);
  const whole = sources.settings.reduce(applySetting, merged);
  const check = (problems: readonly Problem[]) => {
    if (problems.length > 0) throw refused(problems.map((problem) => locate(sources, problem)));
  };
  const parsed = labSchema.safeParse(whole);
  if (!parsed.success) {
    check(parsed.error.issues.flatMap((issue) => explainIssue(issue)));
    throw new VnflabError("VNF_INTERNAL", parsed.error.message);
  }
  check(checkFile(parsed.data));
  const topology = normalise(parsed.data, resolver(sources));
  check(crossCheck(parsed.data, topology));
  return topology;
}

function filesOf({ included, main }: LabSources): LabSource[] {
  return [...included, main];
}

function locate(sources: LabSources, { path, message }: Problem): Located {
  const setting = sources.settings.findLast((candidate) => isAbout(candidate, path));
  if (setting) return { file: setting.origin, path: samePath(setting.path, path) ? [] : path, message };
  // Whoever says it last; when nobody does, whoever says most of the way to it, the lab file first.
  const looks = filesOf(sources)
    .map((source) => ({ file: source.file, ...source.locate(path) }))
    .toReversed();
  const deepest = Math.max(...looks.map(({ depth }) => depth));
  const { file, at } = looks.find(({ depth }) => depth === deepest) as (typeof looks)[number];
  return { file, at, path, message };
}

/** The setting is at the path, above it or below it. */
function isAbout(setting: Setting, path: Path): boolean {
  const common = Math.min(setting.path.length, path.length);
  return common > 0 && samePath(setting.path.slice(0, common), path.slice(0, common));
}

function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((part, index) => String(part) === String(b[index]));
}

function refused(problems: readonly Located[]): VnflabError {
  return new VnflabError("VNF_LAB_INVALID", problemLines(problems));
}

/** Paths are relative to the file that says them. */
function resolver(sources: LabSources): ResolvePath {
  return (value, path) => {
    if (sources.settings.some((setting) => isAbout(setting, path))) return resolve(sources.cwd, value);
    const says = (source: LabSource) => source.locate(path).depth === path.length;
    const source = filesOf(sources).findLast(says) ?? sources.main;
    return resolve(dirname(source.file), value);
  };
}

export function includeProblem(source: LabSource, index: number, message: string): VnflabError {
  const path = ["include", index];
  return refused([{ file: source.file, at: source.locate(path).at, path, message }]);
}
