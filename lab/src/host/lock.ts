/** A lock that dies with its holder: a file with the holder's pid and start time. */
import { VnflabError } from "../model/error.js";
import type { ProcessIdentity } from "./exec.js";
import type { Host } from "./host.js";

interface Holder extends ProcessIdentity {
  readonly purpose: string;
}

/** Throws VNF_LAB_LOCKED when a living process holds the lock; takes over what a dead one left. */
export async function acquireLock(host: Host, path: string, purpose: string): Promise<AsyncDisposable> {
  const mine: Holder = { ...(await host.exec.self()), purpose };
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await host.files.createExclusive(path, JSON.stringify(mine))) {
      return { [Symbol.asyncDispose]: () => host.files.remove(path) };
    }
    const holder = parseHolder(await host.files.readText(path));
    if (holder && (await host.exec.isAlive(holder))) {
      throw new VnflabError("VNF_LAB_LOCKED", `process ${holder.pid} (${holder.purpose}) holds ${path}`);
    }
    await host.files.remove(path);
  }
  throw new VnflabError("VNF_LAB_LOCKED", `${path} changes hands too quickly`);
}

function parseHolder(text: string | undefined): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    const known = typeof value === "object" && value !== null && "pid" in value && "startTicks" in value;
    return known ? (value as Holder) : undefined;
  } catch {
    return undefined;
  }
}
