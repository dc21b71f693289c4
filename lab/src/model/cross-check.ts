/** What no single key of a lab file shows: contradictions between keys, machines and links. */
import { formatIpv4, isHostOf, isNetworkOf, type Prefix, parseIpv4, parsePrefix } from "./address.js";
import { dedicatedCores } from "./distribution.js";
import { DEFAULT_ROUTE } from "./normalise.js";
import { placeName, samePlace } from "./place.js";
import type { Problem } from "./problem.js";
import type { LabFile } from "./schema.js";
import { didYouMean } from "./suggest.js";
import type { LinkModel, MachineModel, NicModel, Topology } from "./topology.js";

/** A problem of a machine, its path relative to the machine. */
interface Found {
  readonly at: readonly PropertyKey[];
  readonly message: string;
}

/** What the defaults would hide. Nothing else can be checked before these are mended. */
export function checkFile(file: LabFile): Problem[] {
  const problems: Problem[] = [];
  for (const key of ["subnet", "spread"] as const) {
    if (!file.links || file[key] === undefined) continue;
    problems.push({ path: [key], message: `a lab with \`links\` has a ${key} for each of them` });
  }
  if (file.switch.kind === "bessd" && file.switch.address === undefined) {
    problems.push({ path: ["switch", "kind"], message: "a bessd runs already: `address` says where" });
  }
  if (file.switch.kind === "vportd" && file.switch.address !== undefined) {
    problems.push({ path: ["switch", "address"], message: "the lab's own switch gets its address from the lab" });
  }
  const names = Object.keys(file.links ?? {});
  for (const [name, own] of Object.entries(file.machines)) {
    if (own.nics) {
      for (const key of ["address", "mac"] as const) {
        if (own[key] === undefined) continue;
        problems.push({ path: ["machines", name, key], message: `a machine with \`nics\` has its ${key} there` });
      }
    } else if (names.length > 1) {
      const message = `there are ${names.length} links: \`nics\` says on which of ${names.join(", ")} it is`;
      problems.push({ path: ["machines", name], message });
    }
  }
  return problems;
}

export function crossCheck(file: LabFile, topology: Topology): Problem[] {
  const { machines, links } = topology;
  const found = machines.flatMap((machine) =>
    [...checkNics(file, machine, links), ...checkMachine(machine, topology)].map(({ at, message }) => ({
      path: ["machines", machine.name, ...at],
      message,
    })),
  );
  return [...duplicates(file, machines), ...found, ...links.flatMap(checkLink), ...checkPlaces(topology)];
}

function checkLink({ name, impair }: LinkModel): Problem[] {
  if (!impair || impair.jitterUs <= impair.delayUs) return [];
  const message = `it is more than the delay of ${impair.delayUs} us, so frames would leave before they come`;
  return [{ path: ["links", name, "impair", "jitter"], message }];
}

function checkPlaces({ machines, switch: sw }: Topology): Problem[] {
  return machines
    .filter(({ place }) => !samePlace(place, sw.place))
    .map(({ name, place }) => ({
      path: ["machines", name, "host"],
      message: `it runs at ${placeName(place)} and the switch at ${placeName(sw.place)}: all of a lab is at one place`,
    }));
}

/** Where a NIC's keys are in the file, below the machine: the only NIC's may stand in the machine itself. */
function nicPath(file: LabFile, machine: string, index: number, key: string): PropertyKey[] {
  return file.machines[machine]?.nics === undefined ? [key] : ["nics", index, key];
}

function duplicates(file: LabFile, machines: readonly MachineModel[]): Problem[] {
  const problems: Problem[] = [];
  const owners = new Map<string, string>();
  for (const machine of machines) {
    for (const [index, nic] of machine.nics.entries()) {
      for (const [key, value] of identities(nic)) {
        const owner = owners.get(value);
        const shown = value.split(" ")[0];
        if (owner !== undefined) {
          const path = ["machines", machine.name, ...nicPath(file, machine.name, index, key)];
          problems.push({ path, message: `${shown} already belongs to machine ${owner}` });
        }
        owners.set(value, machine.name);
      }
    }
  }
  for (const { name, aliases } of machines) {
    for (const [index, alias] of aliases.entries()) {
      const owner = owners.get(alias.split("/")[0] ?? "");
      if (owner === undefined) continue;
      const message = `${alias.split("/")[0]} already belongs to machine ${owner}`;
      problems.push({ path: ["machines", name, "aliases", index], message });
    }
  }
  return problems;
}

/** What only one NIC may have; addresses are of the whole lab, as routes lead from link to link. */
function identities({ address, mac }: NicModel): ["address" | "mac", string][] {
  return [
    ...(address === undefined ? [] : [["address", address.split("/")[0] ?? ""] as ["address", string]]),
    ...(mac === undefined ? [] : [["mac", mac] as ["mac", string]]),
  ];
}

/** Left for the guest's kernel and programs beside DPDK's hugepages. */
const GUEST_MIB = 192;

function checkMachine(machine: MachineModel, topology: Topology): Found[] {
  return [
    ...checkMemory(machine),
    ...checkStack(machine),
    ...checkForwarding(machine),
    ...checkRoutes(machine, topology),
  ];
}

function checkMemory({ kind, memoryMib, hugepagesMib, stack }: MachineModel): Found[] {
  const least = (stack.kind === "kernel" ? 0 : hugepagesMib) + GUEST_MIB;
  if (kind === "process" || memoryMib >= least) return [];
  const what = stack.kind === "kernel" ? "the guest needs" : "hugepages and guest need";
  return [{ at: ["memory"], message: `${memoryMib}M is too little: ${what} ${least}M` }];
}

function checkNics(file: LabFile, { name, nics }: MachineModel, links: readonly LinkModel[]): Found[] {
  const names = links.map((link) => link.name);
  return nics.flatMap((nic, index) => {
    const link = links.find((candidate) => candidate.name === nic.link);
    const problem =
      (key: string) =>
      (message: string): Found => ({ at: nicPath(file, name, index, key), message });
    if (!link) {
      const there = `${didYouMean(nic.link, names)}; there are ${names.join(", ")}`;
      return [problem("link")(`there is no link "${nic.link}"${there}`)];
    }
    const first = nics.findIndex((other) => other.link === nic.link);
    const twice = first < index ? [`the machine is on ${nic.link} already, with its NIC ${first}`] : [];
    const others = nics
      .slice(0, index)
      .flatMap((other) => links.filter((one) => one.name === other.link && one !== link));
    const overlaps = others
      .filter(({ subnet }) => overlap(subnet, link.subnet))
      .map(
        (other) => `its subnet ${link.subnet} overlaps ${other.subnet} of ${other.name}, on which the machine is, too`,
      );
    // A lab that names no links takes whatever addresses its machines agree on.
    const addresses = checkAddress(nic, file.links === undefined ? undefined : link);
    return [...[...twice, ...overlaps].map(problem("link")), ...addresses.map(problem("address"))];
  });
}

function overlap(a: string, b: string): boolean {
  const [one, other] = [parsePrefix(a), parsePrefix(b)];
  if (!one || !other) return false;
  return isNetworkOf(one, other.address) || isNetworkOf(other, one.address);
}

function checkAddress({ address }: NicModel, link: LinkModel | undefined): string[] {
  const prefix = parsePrefix(address ?? "");
  const network = parsePrefix(link?.subnet ?? "");
  if (!prefix) return [];
  if (!isHostOf(prefix, prefix.address)) return [`${address} is the network or broadcast address itself`];
  if (!link || !network || isNetworkOf(network, prefix.address)) return [];
  return [`${address} is not in ${link.subnet}, the subnet of ${link.name}`];
}

function checkForwarding({ kind, forwarding, aliases, nics, stack }: MachineModel): Found[] {
  const problems: Found[] = [];
  if (kind === "process" && nics.length > 1) {
    problems.push({ at: ["nics", 1], message: "a process has one NIC; a virtual machine can have more" });
  }
  if (kind === "process" && stack.kind === "kernel") {
    problems.push({ at: ["stack", "kind"], message: "a process has no kernel of its own; a virtual machine has" });
  }
  if (kind === "process" && aliases.length > 0) {
    problems.push({ at: ["aliases"], message: "a process has no kernel of its own that takes addresses" });
  }
  if (!forwarding) return problems;
  if (kind === "process") {
    problems.push({ at: ["forwarding"], message: "a process has no kernel that forwards; a virtual machine has" });
  } else if (stack.kind === "libmtcp") {
    problems.push({
      at: ["stack", "kind"],
      message: "only the kernel forwards between NICs: kernel, or no forwarding",
    });
  } else if (nics.length < 2) {
    problems.push({ at: ["forwarding"], message: "there is nothing to forward between: the machine has one NIC" });
  }
  return problems;
}

function checkStack({ kind, cpus, nics, stack }: MachineModel): Found[] {
  const { distribution, cores, workers } = stack;
  const queues = nics[0]?.queues ?? 1;
  const dedicated = dedicatedCores(distribution);
  const problems: Found[] = [];
  if (workers < 1) {
    const message = `${distribution} takes ${dedicated} of the cores for itself: it needs ${dedicated + 1} or more, not ${cores}`;
    problems.push({ at: ["stack"], message });
  } else if (workers + dedicated !== cores) {
    problems.push({ at: ["stack"], message: "give workers or cores, not both" });
  }
  if (kind === "vm" && cores > cpus) {
    const what = dedicated === 0 ? `${workers} workers` : `${workers} workers and ${dedicated} of ${distribution}`;
    problems.push({ at: ["stack"], message: `${what} need as many cpus, not ${cpus}` });
  }
  if (distribution === "direct" && queues < workers) {
    const message = `direct needs a queue for each of ${workers} workers, not ${queues}; auto, shared, 1kb and 2kb do not`;
    problems.push({ at: ["queues"], message });
  }
  return problems;
}

function checkRoutes(machine: MachineModel, topology: Topology): Found[] {
  const names = topology.links.map(({ name }) => name);
  const found: Found[] = [];
  for (const [index, { to, via }] of machine.routes.entries()) {
    const isGateway = to === DEFAULT_ROUTE && index === machine.routes.length - 1;
    const at = isGateway ? ["gateway"] : ["routes", index, "via"];
    if (!parsePrefix(to) && !names.includes(to)) {
      const message = `there is no link "${to}"${didYouMean(to, names)}; there are ${names.join(", ")}`;
      found.push({ at: ["routes", index, "to"], message });
    }
    found.push(...via.flatMap((hop) => checkHop(machine, hop, topology)).map((message) => ({ at, message })));
    if (via.length > 1 && machine.stack.kind === "libmtcp") {
      found.push({ at, message: "libmtcp takes one next hop; a kernel takes several" });
    }
  }
  return found;
}

function checkHop(machine: MachineModel, via: string, { machines, links }: Topology): string[] {
  const own = machine.nics.map(({ link }) => link);
  const none = `is on none of its links: ${own.join(", ")}`;
  const address = parseIpv4(via);
  if (address !== undefined) {
    const subnets = links.filter(({ name }) => own.includes(name)).map(({ subnet }) => subnet);
    const networks = [...subnets, ...machine.nics.flatMap((nic) => nic.address ?? [])];
    const reached = networks.some((network) => isHostOf(parsePrefix(network) as Prefix, address));
    return reached ? [] : [`${formatIpv4(address)} ${none}`];
  }
  const hop = machines.find(({ name }) => name === via);
  const others = machines.map(({ name }) => name).filter((name) => name !== machine.name);
  if (!hop) return [`there is no machine "${via}"${didYouMean(via, others)}; there are ${others.join(", ")}`];
  if (hop === machine) return ["a machine is not its own next hop"];
  return hop.nics.some(({ link }) => own.includes(link)) ? [] : [`${via} ${none}`];
}
