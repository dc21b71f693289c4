/** Decides what a lab gets of its host, and writes it down before another lab's plan can look. */
import type { Deployment } from "../model/deployment.js";
import type { Topology } from "../model/topology.js";
import { allocate, factsWithout, type HeldCore, hugepageHolders } from "../plan/allocate.js";
import { keepAddresses } from "../plan/keep-addresses.js";
import { coresOf, heldCores, heldHugepages, planningLock, sharesOf, writeClaim } from "./claims.js";
import type { EngineContext } from "./context.js";
import { lockFile } from "./down.js";
import { foldersAt, isOnAnotherHost } from "./place-of-lab.js";
import type { LabRecord } from "./record.js";
import { removeRunFolder } from "./remove-lab.js";

export interface Planned {
  readonly deployment: Deployment;
  /** What other labs had when this one was planned; kept, so that its own cores stay what they are. */
  readonly heldCores: readonly HeldCore[];
}

/** What `up` would get at this moment. */
export async function plannedDeployment(
  context: EngineContext,
  topology: Topology,
  old: LabRecord | undefined,
): Promise<Planned> {
  const { stateDir, runDir } = context.layout.lab(topology.name);
  const { place } = topology.switch;
  // What labs hold is known of this host alone.
  const held = old?.heldCores ?? (isOnAnotherHost(place) ? [] : await heldCores(context, runDir));
  const facts = {
    ...factsWithout(old?.deployment, await context.facts(place)),
    ...{ heldCores: held, heldHugepages: isOnAnotherHost(place) ? [] : await heldHugepages(context, runDir) },
  };
  const dirs = { stateDir, runDir: (await foldersAt(context, place, topology.name)).runDir };
  const settled = old ? keepAddresses(topology, old.deployment) : topology;
  const deployment = allocate(settled, facts, dirs);
  for (const lab of hugepageHolders(settled, facts)) {
    context.emit({ type: "note", text: `hugepages held by lab ${lab}: the machines' memory is of ordinary pages` });
  }
  const own = coresOf(deployment);
  const shared = held.filter(({ core }) => own.includes(core));
  for (const lab of new Set(shared.map((one) => one.lab))) {
    const cores = shared.filter((one) => one.lab === lab).map(({ core }) => core);
    const text = `core ${cores.join(", ")} held by lab ${lab}: figures of both are not comparable`;
    context.emit({ type: "note", text });
  }
  const oversubscribed = deployment.oversubscribed || shared.length > 0;
  return { deployment: { ...deployment, oversubscribed }, heldCores: held };
}

export async function claimResources(
  context: EngineContext,
  topology: Topology,
  old: LabRecord | undefined,
): Promise<Planned> {
  await using _lock = await planningLock(context, `planning ${topology.name}`);
  const planned = await plannedDeployment(context, topology, old);
  await claim(context, planned.deployment);
  return planned;
}

/** After a refusal: back to what the lab had before, which is nothing for a new one. */
export async function releaseClaim(context: EngineContext, lab: string, old: LabRecord | undefined): Promise<void> {
  if (!old) return removeRunFolder(context, context.layout.lab(lab).runDir);
  await claim(context, old.deployment);
}

async function claim(context: EngineContext, deployment: Deployment): Promise<void> {
  const { lab } = deployment;
  const { runDir, stateDir } = context.layout.lab(lab);
  await writeClaim(context, runDir, { lab, stateDir, lock: lockFile(context, lab), ...sharesOf(deployment) });
}
