/** The end of a lab: what its drivers still keep, what carries its mark, its folders. */
import { join } from "node:path";
import { labContainers } from "../host/docker/orphans.js";
import { planningLock } from "./claims.js";
import type { EngineContext } from "./context.js";
import type { LabRecord } from "./record.js";
import { sweep } from "./strays.js";

export async function removeLab(context: EngineContext, record: LabRecord): Promise<void> {
  const drivers = new Set(record.machines.map((spec) => context.machineDriver(spec)));
  for (const driver of drivers) await driver.release(record.deployment.runDir);
  await context.hostOf(record.switch).release(record.switch);
  await removeFolders(context, record.lab);
}

/** Also of a lab without a record: processes are known by their marks, folders by their names. */
export async function removeFolders(context: EngineContext, lab: string): Promise<void> {
  const { runDir, stateDir } = context.layout.lab(lab);
  // A lab without a record may have left its container.
  for (const container of await labContainers(context.host, stateDir)) await container.remove();
  await sweep(context, runDir);
  await removeRunFolder(context, runDir);
  // Last, and in one step: without it nothing of the lab would be known.
  const { files } = context.host;
  const going = join(context.layout.stateRoot, "removing", lab);
  if ((await files.kind(stateDir)) !== undefined) await files.move(stateDir, going);
  await files.remove(going);
  await files.removeEmpty(join(context.layout.stateRoot, "removing"));
}

/** With the folder of all run folders, when it was the last one; nobody may be making one meanwhile. */
export async function removeRunFolder(context: EngineContext, runDir: string): Promise<void> {
  await using _lock = await planningLock(context, `removing ${runDir}`);
  await context.host.files.remove(runDir);
  await context.host.files.removeEmpty(context.layout.runRoot);
}
