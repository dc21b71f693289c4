/**
 * What the labs of this host hold: their run folders say so, each in a file. All of them count, whatever state folder
 * they are from. Planning is done by one command at a time, so that two do not take the same cores.
 */
import { join } from "node:path";
import { acquireLock, lockHolder } from "../host/lock.js";
import type { Deployment } from "../model/deployment.js";
import { type HeldCore, type HeldHugepages, hugepagesOf } from "../plan/allocate.js";
import type { EngineContext } from "./context.js";
import { isOnAnotherHost } from "./place-of-lab.js";

export interface Claim {
  readonly lab: string;
  readonly stateDir: string;
  /** Lock of the lab: while somebody holds it the claim is valid though there is no record yet. */
  readonly lock: string;
  readonly cores: readonly number[];
  /** No other lab may have these cores, too. */
  readonly exclusive?: boolean;
  /** Of the host's hugepages: all of them while a command is at work on the lab, as some may not be taken yet. */
  readonly hugepagesMib?: number;
}

/** Planning takes milliseconds; whoever waits this long waits for somebody who hangs. */
const PLANNING_MS = 30_000;

export async function planningLock(context: EngineContext, purpose: string): Promise<AsyncDisposable> {
  return acquireLock(context.host, planningLockFile(context), purpose, { waitMs: PLANNING_MS });
}

/** Beside the run folders, which go with the last lab. */
export function planningLockFile(context: EngineContext): string {
  return `${context.layout.runRoot}.lock`;
}

function claimFile(runDir: string): string {
  return join(runDir, "claim.json");
}

export async function writeClaim(context: EngineContext, runDir: string, claim: Claim): Promise<void> {
  const { files } = context.host;
  await files.makeDirectory(runDir, { mode: 0o700 });
  await files.write(claimFile(runDir), `${JSON.stringify(claim)}\n`);
}

export async function readClaim(context: EngineContext, runDir: string): Promise<Claim | undefined> {
  try {
    return JSON.parse((await context.host.files.readText(claimFile(runDir))) ?? "") as Claim;
  } catch {
    return undefined;
  }
}

/** Of all labs but the one with this run folder. */
export async function heldCores(context: EngineContext, runDir: string): Promise<HeldCore[]> {
  const claims = await otherClaims(context, runDir);
  return claims.flatMap(({ cores, lab, exclusive }) =>
    cores.map((core) => ({ core, lab, ...(exclusive ? { exclusive } : {}) })),
  );
}

/** What other labs have been promised: once they are settled it is no longer among what is free. */
export async function heldHugepages(context: EngineContext, runDir: string): Promise<HeldHugepages[]> {
  const held: HeldHugepages[] = [];
  for (const { lab, lock, hugepagesMib: mib = 0 } of await otherClaims(context, runDir)) {
    if (mib > 0 && (await lockHolder(context.host, lock)) !== undefined) held.push({ lab, mib });
  }
  return held;
}

async function otherClaims(context: EngineContext, runDir: string): Promise<Claim[]> {
  const { runRoot } = context.layout;
  const claims: Claim[] = [];
  for (const name of await context.host.files.list(runRoot)) {
    const other = join(runRoot, name);
    const claim = other === runDir ? undefined : await readClaim(context, other);
    if (claim && (await isValid(context, claim))) claims.push(claim);
  }
  return claims;
}

/** What a lab of this host is to have; one elsewhere holds nothing here. */
export function sharesOf(deployment: Deployment): Pick<Claim, "cores" | "exclusive" | "hugepagesMib"> {
  if (isOnAnotherHost(deployment.switch.place)) return { cores: [] };
  const exclusive = deployment.exclusive ? { exclusive: true } : {};
  return { cores: coresOf(deployment), ...exclusive, hugepagesMib: hugepagesOf(deployment) };
}

/** The cores that poll or that somebody has been pinned to. */
export function coresOf({ switch: sw, machines }: Deployment): number[] {
  return [...new Set([sw.core, ...machines.flatMap(({ cores, vcpuPins }) => [...cores, ...vcpuPins])])].sort(
    (a, b) => a - b,
  );
}

async function isValid(context: EngineContext, { stateDir, lock }: Claim): Promise<boolean> {
  if ((await context.host.files.kind(join(stateDir, "lab.json"))) !== undefined) return true;
  return (await lockHolder(context.host, lock)) !== undefined;
}
