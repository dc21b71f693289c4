/** MACs, addresses, ports and routes. Pure; the same input gives the same result. */
import { formatPrefix, hostRange, isNetworkOf, labMac, type Prefix, parseIpv4, parsePrefix } from "../model/address.js";
import type { AllocatedNic, AllocatedRoute } from "../model/deployment.js";
import { VnflabError } from "../model/error.js";
import type { LinkModel, MachineModel, NicModel, Topology } from "../model/topology.js";

/** In the order of the machines and their NICs, so that a machine more at the end changes nothing for the others. */
export function allocateNics({ machines, links }: Topology, socketOf: (port: string) => string): AllocatedNic[][] {
  const all = machines.flatMap(({ nics }) => nics);
  const nextMac = macsBeside(all);
  const nextAddress = new Map(links.map((link) => [link.name, addressesBeside(link, all)]));
  return machines.map(({ name, nics }) =>
    nics.map((nic, index) => {
      const port = index === 0 ? name : `${name}.${index}`;
      const mac = nic.mac ?? nextMac();
      return {
        ...nic,
        mac,
        address: nic.address ?? addressOn(nextAddress, nic.link, name),
        port,
        socket: socketOf(port),
      };
    }),
  );
}

type NextAddress = (machine: string) => string;

function addressOn(next: ReadonlyMap<string, NextAddress>, link: string, machine: string): string {
  const give = next.get(link);
  if (!give) throw new VnflabError("VNF_INTERNAL", `machine ${machine} is on ${link}, which is no link`);
  return give(machine);
}

function macsBeside(nics: readonly NicModel[]): () => string {
  const taken = new Set(nics.flatMap(({ mac }) => mac ?? []));
  let next = 1;
  return () => {
    while (taken.has(labMac(next))) next++;
    return labMac(next++);
  };
}

function addressesBeside({ name, subnet }: LinkModel, nics: readonly NicModel[]): NextAddress {
  const network = prefixOf(subnet);
  const given = nics.filter(({ link }) => link === name).map(({ address }) => address?.split("/")[0] ?? "");
  const taken = new Set(given.flatMap((address) => parseIpv4(address) ?? []));
  const { first, last } = hostRange(network);
  let next = first;
  return (machine) => {
    while (taken.has(next)) next++;
    if (next > last) throw new VnflabError("VNF_RESOURCES", `the subnet ${subnet} has no address left for ${machine}`);
    return formatPrefix({ address: next++, length: network.length });
  };
}

/** Names of machines and links become addresses. */
export function allocateRoutes({ machines, links }: Topology, nics: readonly AllocatedNic[][]): AllocatedRoute[][] {
  const nicsOf = new Map(machines.map(({ name }, index) => [name, nics[index] ?? []]));
  const subnetOf = new Map(links.map(({ name, subnet }) => [name, networkOf(subnet)]));
  return machines.map((machine) => {
    const own = nicsOf.get(machine.name) ?? [];
    return machine.routes.map(({ to, via }) => {
      const hops = via.map((hop) => findHop(machine, own, hop, nicsOf.get(hop)));
      return { to: subnetOf.get(to) ?? networkOf(to), via: hops.map(({ address }) => address), nic: hops[0]?.nic ?? 0 };
    });
  });
}

/** The hop's address, and the number of the NIC by which it is reached. */
function findHop(
  { name }: MachineModel,
  own: readonly AllocatedNic[],
  hop: string,
  theirs: readonly AllocatedNic[] | undefined,
): { readonly nic: number; readonly address: string } {
  const address = parseIpv4(hop);
  for (const [nic, { link, address: mine }] of own.entries()) {
    if (address !== undefined && isNetworkOf(prefixOf(mine), address)) return { nic, address: hop };
    const there = theirs?.find((candidate) => candidate.link === link);
    if (there) return { nic, address: there.address.split("/")[0] ?? "" };
  }
  throw new VnflabError(
    "VNF_LAB_INVALID",
    `machine ${name}: the next hop ${hop} is in the network of none of its NICs`,
  );
}

/** `10.0.0.7/24` -> `10.0.0.0/24`. */
function networkOf(text: string): string {
  const { address, length } = prefixOf(text);
  const size = 2 ** (32 - length);
  return formatPrefix({ address: Math.floor(address / size) * size, length });
}

function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (!prefix) throw new VnflabError("VNF_INTERNAL", `${text} is no prefix`);
  return prefix;
}
