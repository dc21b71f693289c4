/** A machine that exists keeps the addresses it was given: one that is new before it in the file moves nobody. Pure. */
import type { AllocatedNic, Deployment } from "../model/deployment.js";
import type { MachineModel, NicModel, Topology } from "../model/topology.js";

export function keepAddresses(topology: Topology, old: Deployment): Topology {
  const sameLinks = new Set(
    topology.links
      .filter(({ name, subnet }) => old.links.some((link) => link.name === name && link.subnet === subnet))
      .map(({ name }) => name),
  );
  const all = topology.machines.flatMap(({ nics }) => nics);
  const asked = new Set(all.flatMap(({ address, mac }) => [address, mac]).filter((text) => text !== undefined));
  const keep = (nic: NicModel, before: AllocatedNic | undefined): NicModel => {
    if (!before || before.link !== nic.link || !sameLinks.has(nic.link)) return nic;
    const { address, mac } = before;
    return {
      ...nic,
      ...(nic.address === undefined && !asked.has(address) ? { address } : {}),
      ...(nic.mac === undefined && !asked.has(mac) ? { mac } : {}),
    };
  };
  const machines = topology.machines.map((machine): MachineModel => {
    const before = old.machines.find(({ name }) => name === machine.name);
    return { ...machine, nics: machine.nics.map((nic, index) => keep(nic, before?.nics[index])) };
  });
  return { ...topology, machines };
}
