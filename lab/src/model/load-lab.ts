/** A lab file with what it includes and what is set from outside -> Topology. Files are read by whoever calls. */
import { dirname, resolve } from "node:path";
import { VnflabError } from "./error.js";
import type { LabSource } from "./lab-source.js";
import { isMapValue } from "./merge.js";
import { assembleLab, includeProblem, parseSource } from "./parse-lab.js";
import type { Setting } from "./setting.js";
import type { Topology } from "./topology.js";

export interface LabInput {
  /** Absolute. */
  readonly file: string;
  /** The text of a file; undefined when there is none. */
  readonly read: (file: string) => Promise<string | undefined>;
  /** In order: a later one wins. */
  readonly settings?: readonly Setting[];
  /** What paths in settings are relative to; absent: the lab file's folder. */
  readonly cwd?: string;
}

/** Throws VNF_LAB_INVALID. */
export async function loadLab({ file, read, settings = [], cwd }: LabInput): Promise<Topology> {
  const text = await read(file);
  if (text === undefined) throw new VnflabError("VNF_LAB_INVALID", `there is no lab file ${file}`);
  const main = parseSource(file, text);
  const included = await readIncludes(main, read, [file]);
  return assembleLab({ main, included, settings, cwd: cwd ?? dirname(file) });
}

/** All that a file includes, each after what it includes itself. `chain`: the files that lead here. */
async function readIncludes(source: LabSource, read: LabInput["read"], chain: readonly string[]): Promise<LabSource[]> {
  const all: LabSource[] = [];
  for (const [index, name] of includesOf(source).entries()) {
    const file = resolve(dirname(source.file), name);
    if (chain.includes(file)) {
      const circle = [...chain.slice(chain.indexOf(file)), file].join(" -> ");
      throw includeProblem(source, index, `a file cannot include itself: ${circle}`);
    }
    const text = await read(file);
    if (text === undefined) throw includeProblem(source, index, `there is no file ${file}`);
    const included = parseSource(file, text);
    all.push(...(await readIncludes(included, read, [...chain, file])), included);
  }
  return all;
}

/** What is no list of texts the schema refuses later. */
function includesOf({ value }: LabSource): string[] {
  const list = isMapValue(value) ? value.include : undefined;
  return Array.isArray(list) ? list.filter((name): name is string => typeof name === "string") : [];
}
