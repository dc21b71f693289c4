/** The experiments of lab/experiments, and those in files of one's own. */
import { join, resolve } from "node:path";
import type { EngineContext } from "../engine/context.js";
import { VnflabError } from "../model/error.js";
import type { Experiment } from "../model/experiment/experiment.js";
import { parseExperiment } from "../model/experiment/parse-experiment.js";
import { didYouMean } from "../model/suggest.js";

type Surroundings = Pick<EngineContext, "host">;

const SUFFIX = ".yaml";

/** Names of the experiments that come with vnflab, sorted. */
export async function listExperiments({ host }: Surroundings): Promise<string[]> {
  const files = await host.files.list(folderOf(host));
  return files.filter((file) => file.endsWith(SUFFIX)).map((file) => file.slice(0, -SUFFIX.length));
}

/**
 * By its name, or by a path: what has a slash or ends with .yaml. Throws VNF_EXPERIMENT_INVALID, VNF_USAGE when there is
 * none of that name.
 */
export async function loadExperiment(context: Surroundings, nameOrFile: string): Promise<Experiment> {
  const { host } = context;
  const isPath = nameOrFile.includes("/") || nameOrFile.endsWith(SUFFIX);
  const file = isPath ? resolve(nameOrFile) : join(folderOf(host), `${nameOrFile}${SUFFIX}`);
  const text = await host.files.readText(file);
  if (text !== undefined) return parseExperiment(text, file);
  if (isPath) throw new VnflabError("VNF_EXPERIMENT_INVALID", `there is no file ${file}`);
  const names = await listExperiments(context);
  throw new VnflabError("VNF_USAGE", `no experiment "${nameOrFile}"${didYouMean(nameOrFile, names)}`, {
    hint: `There are ${names.join(", ")}; a file is written with its path: ./my.yaml.`,
  });
}

function folderOf(host: Surroundings["host"]): string {
  return join(host.root, "lab/experiments");
}
