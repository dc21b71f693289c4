/** Where a lab is: its record always here, what runs in folders of the host that it runs on. */
import { engineAddress } from "../host/docker/engine.js";
import type { Host } from "../host/host.js";
import { type LabPaths, resolveLayout } from "../host/layout.js";
import type { Place, Topology } from "../model/topology.js";
import type { EngineContext } from "./context.js";

/** What the environment decides is decided now: later commands of the lab may run in another one. */
export function pinPlaces(topology: Topology, env: Host["env"]): Topology {
  const pin = (place: Place): Place =>
    place.kind === "docker" ? { ...place, engine: engineAddress(env, place.engine) } : place;
  return {
    ...topology,
    switch: { ...topology.switch, place: pin(topology.switch.place) },
    machines: topology.machines.map((machine) => ({ ...machine, place: pin(machine.place) })),
  };
}

/** The lab's folders on the host on which it runs. */
export async function foldersAt(context: EngineContext, place: Place, lab: string): Promise<LabPaths> {
  return (await resolveLayout(await context.hostAt(place))).lab(lab);
}

/** Its processors and memory are not those of this host. */
export function isOnAnotherHost(place: Place): boolean {
  return place.kind === "ssh";
}
