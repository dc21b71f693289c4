/** A lab file, with what it includes and what the command line and the environment set -> Topology. */
import { resolve } from "node:path";
import { loadLab } from "../model/load-lab.js";
import { environmentSettings, type Setting } from "../model/setting.js";
import type { Topology } from "../model/topology.js";
import type { EngineContext } from "./context.js";

/** Settings of the command line win over those of the environment. Throws VNF_LAB_INVALID. */
export async function loadTopology(
  { host }: Pick<EngineContext, "host">,
  file: string,
  settings: readonly Setting[] = [],
): Promise<Topology> {
  return loadLab({
    file: resolve(file),
    read: (path) => host.files.readText(path),
    settings: [...environmentSettings(host.env), ...settings],
    cwd: process.cwd(),
  });
}
