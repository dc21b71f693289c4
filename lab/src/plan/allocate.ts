/** Topology -> deployment: MACs, addresses, cores, sockets and prefixes. Pure; the same input gives the same result. */
import { createHash } from "node:crypto";
import type { AllocatedMachine, Deployment } from "../model/deployment.js";
import { VnflabError } from "../model/error.js";
import type { Topology } from "../model/topology.js";
import { allocateNics, allocateRoutes } from "./allocate-nics.js";

/** What the host offers. */
export interface HostFacts {
  /** CPUs that this process may use, ascending. */
  readonly cores: readonly number[];
  readonly availableMemoryMib: number;
  /** Cores that other labs have: taken when there are no others left. */
  readonly heldCores?: readonly HeldCore[];
}

export interface HeldCore {
  readonly core: number;
  readonly lab: string;
}

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
  requireMemory(topology, facts);
  const nics = allocateNics(topology, (port) => socketPath(dirs.runDir, `${port}.sock`));
  const routes = allocateRoutes(topology, nics);
  const { switchCore, machineCores, oversubscribed } = allocateCores(topology, facts);
  const mark = createHash("sha256").update(dirs.runDir).digest("hex").slice(0, 6);
  return {
    lab: topology.name,
    ...dirs,
    switch: {
      address: `unix:${socketPath(dirs.runDir, "bess.sock")}`,
      ...topology.switch,
      core: switchCore,
      filePrefix: `switch-${mark}`,
    },
    links: topology.links,
    machines: machines.map(
      (machine, index): AllocatedMachine => ({
        ...machine,
        nics: nics[index] ?? [],
        routes: routes[index] ?? [],
        cores: machineCores[index] ?? [],
        filePrefix: `${machine.name}-${mark}`,
      }),
    ),
    deadlinesMs: topology.deadlinesMs,
    oversubscribed,
  };
}

function socketPath(runDir: string, name: string): string {
  const path = `${runDir}/${name}`;
  const length = Buffer.byteLength(path);
  if (length > SUN_PATH_MAX) {
    throw new VnflabError("VNF_PATH_TOO_LONG", `the socket path ${path} has ${length} bytes, ${SUN_PATH_MAX} fit`);
  }
  return path;
}

function requireMemory({ machines, switch: { memoryMib } }: Topology, facts: HostFacts): void {
  const sizes = machines.map((machine) => (machine.kind === "vm" ? machine.memoryMib : machine.hugepagesMib));
  const wanted = sizes.reduce((sum, size) => sum + size, memoryMib + RESERVE_MIB);
  if (wanted > facts.availableMemoryMib) {
    throw new VnflabError(
      "VNF_RESOURCES",
      `the lab needs ${wanted} MiB of memory with ${RESERVE_MIB} MiB to spare; ${facts.availableMemoryMib} MiB are free`,
    );
  }
}

/** The switch polls without rest, so it has the first core to itself whenever there is a second one. */
function allocateCores({ machines, switch: { core } }: Topology, { cores: all, heldCores = [] }: HostFacts) {
  const isHeld = (candidate: number) => heldCores.some((held) => held.core === candidate);
  const cores = [...all.filter((candidate) => !isHeld(candidate)), ...all.filter(isHeld)];
  const switchCore = core ?? cores[0] ?? 0;
  const others = cores.filter((candidate) => candidate !== switchCore);
  const pool = others.length > 0 ? others : [switchCore];
  let used = 0;
  const machineCores = machines.map(({ kind, stack }) =>
    kind === "vm" ? [] : Array.from({ length: stack.cores }, () => pool[used++ % pool.length] ?? switchCore),
  );
  const virtualCpus = machines.reduce((sum, { kind, cpus }) => sum + (kind === "vm" ? cpus : 0), 0);
  return { switchCore, machineCores, oversubscribed: used + virtualCpus > others.length };
}
