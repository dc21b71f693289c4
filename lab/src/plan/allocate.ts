/** Topology -> deployment: MACs, addresses, cores, sockets and prefixes. Pure; the same input gives the same result. */
import { createHash } from "node:crypto";
import type { AllocatedMachine, Deployment } from "../model/deployment.js";
import { VnflabError } from "../model/error.js";
import type { HostFacts } from "../model/host-facts.js";
import type { MachineModel, Topology } from "../model/topology.js";
import { allocateCores } from "./allocate-cores.js";
import { allocateNics, allocateRoutes } from "./allocate-nics.js";

export type { HeldCore, HeldHugepages, HostFacts } from "../model/host-facts.js";

/** Longest path that fits into sockaddr_un with its closing zero. */
const SUN_PATH_MAX = 107;

/** Memory of the host that stays free. */
const RESERVE_MIB = 512;

export function allocate(
  topology: Topology,
  facts: HostFacts,
  dirs: { readonly stateDir: string; readonly runDir: string },
): Deployment {
  const { machines } = topology;
  const onHugepages = machinesOnHugepages(topology, facts);
  requireMemory(topology, facts, onHugepages);
  const nics = allocateNics(topology, (port) => socketPath(dirs.runDir, `${port}.sock`));
  const routes = allocateRoutes(topology, nics);
  const cpus = allocateCores(topology, facts);
  const mark = createHash("sha256").update(dirs.runDir).digest("hex").slice(0, 6);
  return {
    lab: topology.name,
    ...dirs,
    switch: {
      address: `unix:${socketPath(dirs.runDir, "bess.sock")}`,
      ...topology.switch,
      core: cpus.switchCore,
      filePrefix: `switch-${mark}`,
    },
    links: topology.links,
    exclusive: topology.exclusive,
    machines: machines.map(
      (machine, index): AllocatedMachine => ({
        ...machine,
        nics: nics[index] ?? [],
        routes: routes[index] ?? [],
        cores: cpus.machines[index]?.cores ?? [],
        vcpuPins: cpus.machines[index]?.vcpuPins ?? [],
        emulatorCpus: cpus.machines[index]?.vcpuPins.length ? cpus.housekeeping : [],
        hostHugepages: onHugepages.has(machine),
        filePrefix: `${machine.name}-${mark}`,
      }),
    ),
    deadlinesMs: topology.deadlinesMs,
    oversubscribed: cpus.oversubscribed,
    ...(cpus.reason === undefined ? {} : { oversubscription: cpus.reason }),
  };
}

/**
 * The host as it was before this lab took its share, so that planning it again comes to the same. Whether its machines
 * are on hugepages stays as it is.
 */
export function factsWithout(deployment: Deployment | undefined, facts: HostFacts): HostFacts {
  if (!deployment) return facts;
  const virtual = deployment.machines.filter(({ kind }) => kind === "vm");
  const onHugepages = virtual.filter(({ hostHugepages }) => hostHugepages);
  const plain = deployment.machines.filter((machine) => !onHugepages.includes(machine));
  const free = onHugepages.reduce((sum, { memoryMib }) => sum + (memoryMib * 1024) / PAGE_KIB, 0);
  const given = { node: 0, sizeKib: PAGE_KIB, free };
  const pages = onHugepages.length > 0 ? [...(facts.hugepages ?? []), given] : [];
  return {
    ...facts,
    availableMemoryMib: facts.availableMemoryMib + deployment.switch.memoryMib + memoryOf(plain),
    ...(virtual.length > 0 ? { hugepages: pages } : {}),
  };
}

/** What machines take of the host's memory. */
function memoryOf(machines: readonly MachineModel[]): number {
  return machines.reduce(
    (sum, { kind, memoryMib, hugepagesMib }) => sum + (kind === "vm" ? memoryMib : hugepagesMib),
    0,
  );
}

function socketPath(runDir: string, name: string): string {
  const path = `${runDir}/${name}`;
  const length = Buffer.byteLength(path);
  if (length > SUN_PATH_MAX) {
    throw new VnflabError("VNF_PATH_TOO_LONG", `the socket path ${path} has ${length} bytes, ${SUN_PATH_MAX} fit`);
  }
  return path;
}

function requireMemory({ machines, switch: { memoryMib } }: Topology, facts: HostFacts, onHugepages: Machines): void {
  const plain = machines.filter((machine) => !onHugepages.has(machine));
  const wanted = memoryOf(plain) + memoryMib + RESERVE_MIB;
  if (wanted > facts.availableMemoryMib) {
    throw new VnflabError(
      "VNF_RESOURCES",
      `the lab needs ${wanted} MiB of memory with ${RESERVE_MIB} MiB to spare; ${facts.availableMemoryMib} MiB are free`,
    );
  }
}

type Machines = ReadonlySet<MachineModel>;

/** The size of pages that QEMU is given; larger ones would have to divide the machine's memory. */
const PAGE_KIB = 2048;

/** What a lab takes of the host's hugepages. */
export function hugepagesOf({ machines, switch: sw }: Deployment): number {
  const onHugepages = machines.filter(({ hostHugepages }) => hostHugepages);
  return memoryOf(onHugepages) + (sw.hugepages === "off" ? 0 : sw.memoryMib);
}

/** The labs for which virtual machines must do without hugepages that are free still. */
export function hugepageHolders(topology: Topology, facts: HostFacts): string[] {
  const { heldHugepages = [], ...alone } = facts;
  const missed = machinesOnHugepages(topology, alone).size > machinesOnHugepages(topology, facts).size;
  return missed ? heldHugepages.filter(({ mib }) => mib > 0).map(({ lab }) => lab) : [];
}

/** All virtual machines get the host's hugepages, or none does: figures of both kinds cannot be compared. */
function machinesOnHugepages({ machines }: Topology, facts: HostFacts): Machines {
  const { hugepages = [], heldHugepages = [] } = facts;
  const virtual = machines.filter(({ kind }) => kind === "vm");
  const wantedKib = virtual.reduce((sum, { memoryMib }) => sum + memoryMib * 1024, 0);
  const pages = hugepages.filter(({ sizeKib }) => sizeKib === PAGE_KIB).reduce((sum, { free }) => sum + free, 0);
  const heldKib = heldHugepages.reduce((sum, { mib }) => sum + mib * 1024, 0);
  return new Set(pages * PAGE_KIB - heldKib >= wantedKib ? virtual : []);
}
