/** A lock that dies with its holder: a file with the holder's pid and start time. */
import { VnflabError } from "../model/error.js";
import type { ProcessIdentity } from "./exec.js";
import type { Host } from "./host.js";

export interface LockHolder extends ProcessIdentity {
  /** What the holder does, for people: `vnflab up pair`. */
  readonly purpose: string;
}

export interface LockOptions {
  /** How long to wait for a living holder; default 0. */
  readonly waitMs?: number;
}

/** Between two looks at a lock that somebody has. */
const LOOK_MS = 20;
/** Attempts that fail without a living holder: others are quicker. */
const MOST_LOST = 100;

/** Throws VNF_LAB_LOCKED when a living process holds the lock; takes over what a dead one left. */
export async function acquireLock(
  host: Host,
  path: string,
  purpose: string,
  options: LockOptions = {},
): Promise<AsyncDisposable> {
  const mine = JSON.stringify({ ...(await host.exec.self()), purpose } satisfies LockHolder);
  const end = host.clock.now() + (options.waitMs ?? 0);
  for (let lost = 0; lost < MOST_LOST; ) {
    if (await host.files.createExclusive(path, mine)) {
      return { [Symbol.asyncDispose]: () => host.files.remove(path) };
    }
    const holder = await lockHolder(host, path);
    if (!holder) {
      lost++;
      await removeStaleLock(host, path);
    } else if (host.clock.now() < end) {
      await host.clock.delay(LOOK_MS);
    } else {
      throw new VnflabError("VNF_LAB_LOCKED", `process ${holder.pid} (${holder.purpose}) holds ${path}`);
    }
  }
  throw new VnflabError("VNF_LAB_LOCKED", `${path} changes hands too quickly`);
}

/** The living process that holds a lock; undefined when nobody does, whatever lies there. */
export async function lockHolder(host: Host, path: string): Promise<LockHolder | undefined> {
  const holder = parseHolder(await host.files.readText(path));
  return holder && (await host.exec.isAlive(holder)) ? holder : undefined;
}

/**
 * Removes a lock whose holder is dead. Only one process at a time may do so: a second one that has seen the same dead
 * holder would remove the lock of whoever has taken it since. True when it removed something.
 */
export async function removeStaleLock(host: Host, path: string): Promise<boolean> {
  const breaking = `${path}.breaking`;
  const mine = JSON.stringify({ ...(await host.exec.self()), purpose: "removing a stale lock" } satisfies LockHolder);
  if (!(await host.files.createExclusive(breaking, mine))) {
    // Whoever held this one died in the middle of the two lines below, or is there now.
    if (!(await lockHolder(host, breaking))) await host.files.remove(breaking);
    await host.clock.delay(LOOK_MS);
    return false;
  }
  try {
    if ((await host.files.kind(path)) === undefined || (await lockHolder(host, path))) return false;
    await host.files.remove(path);
    return true;
  } finally {
    await host.files.remove(breaking);
  }
}

function parseHolder(text: string | undefined): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    const known = typeof value === "object" && value !== null && "pid" in value && "startTicks" in value;
    return known ? (value as LockHolder) : undefined;
  } catch {
    return undefined;
  }
}
