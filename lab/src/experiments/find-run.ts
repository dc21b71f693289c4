/** Where the runs are: below the state folder, unless somebody has put one elsewhere. */
import { join, resolve } from "node:path";
import type { EngineContext } from "../engine/context.js";
import { VnflabError } from "../model/error.js";
import { MANIFEST } from "../model/experiment/run-folder.js";
import { didYouMean } from "../model/suggest.js";

type Context = Pick<EngineContext, "host" | "layout">;

export function resultsRoot({ layout }: Pick<Context, "layout">): string {
  return join(layout.stateRoot, "results");
}

/** Names of the runs in the usual place, sorted; an experiment's by time, because that is how they are named. */
export async function listRuns(context: Context): Promise<string[]> {
  const { files } = context.host;
  const root = resultsRoot(context);
  const names = await files.list(root);
  const runs = await Promise.all(names.map(async (name) => (await files.kind(join(root, name, MANIFEST))) === "file"));
  return names.filter((_, i) => runs[i]);
}

/** The folder of a run: by its name in the usual place, or by a path (what has a slash). Throws VNF_USAGE: there is none. */
export async function findRun(context: Context, nameOrFolder: string): Promise<string> {
  const folder = nameOrFolder.includes("/") ? resolve(nameOrFolder) : join(resultsRoot(context), nameOrFolder);
  if ((await context.host.files.kind(join(folder, MANIFEST))) === "file") return folder;
  const names = await listRuns(context);
  throw new VnflabError("VNF_USAGE", `no run "${nameOrFolder}"${didYouMean(nameOrFolder, names)}`, {
    hint: `A run is a name below ${resultsRoot(context)}, or a folder with its path: ./my-run.`,
  });
}
