/**
 * Which CPUs of the host the switch, the machines and everything else get. Pure.
 *
 * What polls (the switch's worker, workers of processes) and virtual CPUs get a CPU each, and where there are enough a
 * physical core each, on as few NUMA nodes as possible: a machine is never split between nodes when one has room for
 * it. Of four CPUs or more the lowest stays for housekeeping: QEMU's own threads, vnflab, the system. When there are
 * too few for all, processes share those that there are, virtual CPUs go where the kernel puts them, and the deployment
 * says so. A machine more at the end of the file does not move the others.
 */
import { VnflabError } from "../model/error.js";
import type { HeldCore, HostFacts } from "../model/host-facts.js";
import type { MachineModel, Topology } from "../model/topology.js";

export interface MachineCores {
  /** CPUs of a process's stack; empty for a VM. */
  readonly cores: readonly number[];
  /** One CPU of the host for each virtual one; empty when they are not pinned. */
  readonly vcpuPins: readonly number[];
}

export interface CoreAllocation {
  readonly switchCore: number;
  readonly machines: readonly MachineCores[];
  /** For QEMU's own threads; empty when nothing is set aside. */
  readonly housekeeping: readonly number[];
  readonly oversubscribed: boolean;
  /** Why it is oversubscribed, for people. */
  readonly reason?: string;
}

/** A CPU that nobody has yet. */
interface Cpu {
  readonly id: number;
  readonly node: number;
  /** 0 for the first thread of its physical core, 1 for the second. */
  readonly thread: number;
}

/** With fewer CPUs nothing is set aside. */
const LEAST_FOR_HOUSEKEEPING = 4;

/** Throws VNF_RESOURCES when the lab, or another one, is to have its CPUs alone and there are not enough. */
export function allocateCores(topology: Topology, facts: HostFacts): CoreAllocation {
  const {
    machines,
    switch: { core },
  } = topology;
  const housekeeping = facts.cores.length >= LEAST_FOR_HOUSEKEEPING ? facts.cores.slice(0, 1) : [];
  const held = new Map((facts.heldCores ?? []).map(({ core: id, lab }) => [id, lab]));
  const barred = new Set((facts.heldCores ?? []).filter(({ exclusive }) => exclusive).map(({ core: id }) => id));
  const all = describeCpus(facts).filter(({ id }) => !housekeeping.includes(id) && !barred.has(id));
  const free = all.filter(({ id }) => !held.has(id));
  const needs = machines.map(cpusOf);
  const needed = (core === undefined ? 1 : 0) + needs.reduce((sum, count) => sum + count, 0);
  const usable = free.filter(({ id }) => id !== core);
  if (core !== undefined && (barred.has(core) || (topology.exclusive && held.has(core)))) {
    throw refusal(`core ${core} is held by lab ${held.get(core)}`);
  }
  if (needed <= usable.length) return { ...apart(machines, needs, usable, core), housekeeping };
  const pool = (free.length > 0 ? free : all).map(({ id }) => id);
  const reason = `${needed} CPUs are needed for switch and machines, ${usable.length} are free${holdersOf(facts)}`;
  if (topology.exclusive) throw refusal(`${reason}; the lab is exclusive`);
  if (pool.length === 0) throw refusal(reason);
  return { ...shared(machines, pool, core, barred.size > 0), housekeeping, reason };
}

function refusal(reason: string): VnflabError {
  return new VnflabError("VNF_RESOURCES", reason, {
    hint: "Take down the lab that holds them, or take `exclusive` out of its file or of this one.",
  });
}

function holdersOf({ heldCores = [] }: HostFacts): string {
  const name = ({ lab, exclusive }: HeldCore) => (exclusive ? `${lab} alone` : lab);
  const holders = [...new Set(heldCores.map(name))].sort().join(", ");
  const count = new Set(heldCores.map(({ core }) => core)).size;
  return count === 0 ? "" : `, ${count} held by lab ${holders}`;
}

/** What the machine keeps busy. */
function cpusOf({ kind, cpus, stack }: MachineModel): number {
  return kind === "vm" ? cpus : stack.cores;
}

function describeCpus({ cores, siblings = [], nodes = [] }: HostFacts): Cpu[] {
  const threadOf = new Map(
    siblings.flatMap((group) => group.toSorted((a, b) => a - b).map((id, thread) => [id, thread])),
  );
  const nodeOf = new Map(nodes.flatMap(({ node, cores: ids }) => ids.map((id) => [id, node])));
  return cores.map((id) => ({ id, node: nodeOf.get(id) ?? 0, thread: threadOf.get(id) ?? 0 }));
}

type Allocated = Pick<CoreAllocation, "switchCore" | "machines" | "oversubscribed">;

/** There is a CPU for each. */
function apart(
  machines: readonly MachineModel[],
  needs: readonly number[],
  free: readonly Cpu[],
  core: number | undefined,
): Allocated {
  const pool = new Pool(free);
  const switchCore = core ?? pool.take(1)[0] ?? 0;
  const taken = machines.map((machine, index): MachineCores => {
    const cpus = pool.take(needs[index] ?? 0);
    return machine.kind === "vm" ? { cores: [], vcpuPins: cpus } : { cores: cpus, vcpuPins: [] };
  });
  return { switchCore, machines: taken, oversubscribed: false };
}

/**
 * The switch polls, so it has a CPU to itself whenever there is a second one. Virtual CPUs are kept from what is not in
 * the pool only when `fenced`.
 */
function shared(
  machines: readonly MachineModel[],
  usable: readonly number[],
  core: number | undefined,
  fenced: boolean,
): Allocated {
  const switchCore = core ?? usable[0] ?? 0;
  const others = usable.filter((id) => id !== switchCore);
  const pool = others.length > 0 ? others : [switchCore];
  let used = 0;
  const next = () => pool[used++ % pool.length] ?? switchCore;
  const taken = machines.map(({ kind, stack, cpus }): MachineCores => {
    if (kind === "vm") return { cores: [], vcpuPins: fenced ? Array.from({ length: cpus }, next) : [] };
    return { cores: Array.from({ length: stack.cores }, next), vcpuPins: [] };
  });
  return { switchCore, machines: taken, oversubscribed: true };
}

/** Free CPUs by node; whole physical cores go first, their other threads when no whole core is left. */
class Pool {
  private readonly nodes: Map<number, Cpu[]>;
  /** Where the last one came from: further ones come from there while it has room. */
  private near: number | undefined;

  constructor(free: readonly Cpu[]) {
    const ids = [...new Set(free.map(({ node }) => node))].sort((a, b) => a - b);
    const inOrder = (node: number) =>
      free.filter((cpu) => cpu.node === node).toSorted((a, b) => a.thread - b.thread || a.id - b.id);
    this.nodes = new Map(ids.map((node) => [node, inOrder(node)]));
  }

  /** Of one node if any has so many, otherwise of several. There are enough. */
  take(count: number): number[] {
    const taken: number[] = [];
    for (let left = count; left > 0; left = count - taken.length) {
      this.near = this.choose(left);
      taken.push(...(this.nodes.get(this.near) ?? []).splice(0, left).map(({ id }) => id));
    }
    return taken;
  }

  /** The near node if it has room; else the best by: enough whole cores, enough CPUs, most whole cores. */
  private choose(count: number): number {
    const near = this.nodes.get(this.near ?? -1);
    if (near && near.length >= count) return this.near as number;
    const worth = ([, list]: [number, Cpu[]]) => {
      const whole = list.filter(({ thread }) => thread === 0).length;
      if (whole >= count) return 2e9;
      return (list.length >= count ? 1e9 : 0) + whole * 1e4 + list.length;
    };
    const ranked = [...this.nodes.entries()].toSorted((a, b) => worth(b) - worth(a));
    return ranked[0]?.[0] ?? 0;
  }
}
