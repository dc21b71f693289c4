/** A folder that one command at a time writes to, whatever becomes of the others. */
import { join } from "node:path";
import { acquireLock } from "../host/lock.js";
import type { EngineContext } from "./context.js";

/** Throws VNF_LAB_LOCKED when a living process has it; `purpose` is how that one is called. */
export function lockFolder(context: EngineContext, folder: string, purpose: string): Promise<AsyncDisposable> {
  return acquireLock(context.host, join(folder, "lock"), purpose);
}
