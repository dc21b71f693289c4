// SPDX-License-Identifier: BSD-3-Clause
// N vhost-user ports that see each other as on one Ethernet segment, from standard modules only:
//
//   in_A_q (QueueInc) -> fib_A_q (L2Forward) -> out_B_q, out_C_q ... (QueueOut)      frames to a known MAC
//                                            -> flood_A_q (Replicate) -> out_B_q, out_C_q ...     all others
//
// Each source has a table and a Replicate of its own, which is what keeps its frames from coming back to it.
// With broadcast "all" there is one table and one Replicate for everybody, and the sender hears itself.
// Queue q of every port forms a lane of its own: what one machine sends by queue q arrives by queue q of another, so
// that the answer to a flow comes back to the core that owns it. A port with fewer queues takes lane q by q modulo
// their number.
//
// With spread "hash" the sender's queue does not matter. Whatever goes to a port with several queues passes the port's
// HashLB, a standard module too, whose gate q leads to queue q:
//
//   fib_A_q, flood_A_q -> spread_B (HashLB) -> out_B_0, out_B_1 ...
//
// so that flows reach all queues of a receiver however few the sender has. The two directions of a flow are hashed apart.
// What is no IPv4 (ARP) goes to queue 0.
import type { Argument, Pipeline } from "@vnflab/bess-client";

export interface ForwardPort {
  name: string;
  /** Path of the vhost-user socket that the switch makes. */
  socket: string;
  /** Queue pairs, 1 when absent. */
  queues?: number;
  /** Who is reached through this port. */
  macs: string[];
}

/** By which of its queues a port gets a frame: that of the sender's lane, or one that the flow's hash chooses. */
export type Spread = "lanes" | "hash";

export interface ForwardOptions {
  broadcast?: "all" | "others";
  /** "lanes" when absent. */
  spread?: Spread | undefined;
  worker?: { wid: number; core: number };
}

/** DPDK has room for so many ports in one process. */
export const MAX_PORTS = 32;
const DROP_GATE = 8192;
/** The gate of a table that leads to its Replicate; lower ones are the ports by number. */
const FLOOD_GATE = MAX_PORTS;
const BROADCAST = "ff:ff:ff:ff:ff:ff";

export function forward(ports: ForwardPort[], options: ForwardOptions = {}): Pipeline {
  checkPorts("forward", ports);
  const pipeline: Pipeline = {
    workers: options.worker === undefined ? [] : [options.worker],
    ports: vhostPorts(ports),
    modules: [],
    connections: [],
    commands: [],
  };
  for (const port of ports) {
    for (let qid = 0; qid < queuesOf(port); qid++) {
      add(pipeline, queueOutput(port, qid), { type: "QueueOutArg", value: { port: port.name, qid } });
    }
    addSpread(pipeline, port, options.spread);
  }
  const lanes = Math.max(...ports.map(queuesOf));
  for (let lane = 0; lane < lanes; lane++) addLane(pipeline, ports, lane, options);
  return pipeline;
}

function addLane(pipeline: Pipeline, ports: ForwardPort[], lane: number, { broadcast, spread }: ForwardOptions): void {
  const sources = ports.filter((port) => lane < queuesOf(port));
  const outputs = ports.map((port) => laneOutput(port, lane, spread));
  if (broadcast === "all") {
    addTable(pipeline, ports, { suffix: `all_${lane}`, outputs, own: undefined });
    add(pipeline, `merge_${lane}`, { type: "MergeArg", value: {} });
    link(pipeline, `merge_${lane}`, 0, `fib_all_${lane}`);
    for (const port of sources) addInput(pipeline, port, lane, `merge_${lane}`);
    return;
  }
  for (const port of sources) {
    const suffix = `${port.name}_${lane}`;
    addTable(pipeline, ports, { suffix, outputs, own: port });
    addInput(pipeline, port, lane, `fib_${suffix}`);
  }
}

export function queuesOf({ queues = 1 }: ForwardPort): number {
  return queues;
}

const spreads = (port: ForwardPort, spread: Spread | undefined) => spread === "hash" && queuesOf(port) > 1;

/** The module that writes one queue of a port. */
export function queueOutput(port: ForwardPort, qid: number): string {
  return `out_${port.name}_${qid}`;
}

/** The module that takes what passes in a lane to a port. */
export function laneOutput(port: ForwardPort, lane: number, spread: Spread | undefined): string {
  return spreads(port, spread) ? `spread_${port.name}` : queueOutput(port, lane % queuesOf(port));
}

/** Puts a port's HashLB before its outputs, if it needs one. */
export function addSpread(pipeline: Pipeline, port: ForwardPort, spread: Spread | undefined): void {
  if (!spreads(port, spread)) return;
  const name = `spread_${port.name}`;
  const gates = Array.from({ length: queuesOf(port) }, (_, qid) => qid);
  add(pipeline, name, { type: "HashLBArg", value: { gates, mode: "l4" } });
  for (const qid of gates) link(pipeline, name, qid, queueOutput(port, qid));
}

/** The module that reads one queue of a port. */
export function queueInput(port: ForwardPort, qid: number): string {
  return `in_${port.name}_${qid}`;
}

export function vhostPorts(ports: ForwardPort[]): Pipeline["ports"] {
  return ports.map((port) => {
    const queues = queuesOf(port);
    const vdev = `eth_vhost_${port.name},iface=${port.socket},queues=${queues}`;
    return { name: port.name, driver: "PMDPort", queues, arg: { type: "PMDPortArg", value: { vdev } } };
  });
}

function addInput(pipeline: Pipeline, port: ForwardPort, qid: number, to: string): void {
  const name = queueInput(port, qid);
  add(pipeline, name, { type: "QueueIncArg", value: { port: port.name, qid } });
  link(pipeline, name, 0, to);
}

interface Table {
  suffix: string;
  /** The module that leads to each port. */
  outputs: string[];
  /** The port whose frames pass here: nothing goes back to it. */
  own: ForwardPort | undefined;
}

function addTable(pipeline: Pipeline, ports: ForwardPort[], { suffix, outputs, own }: Table): void {
  const fib = `fib_${suffix}`;
  const replicate = `flood_${suffix}`;
  const entries = ports.flatMap((port, index) =>
    port.macs.map((addr) => ({ addr: addr.toLowerCase(), gate: port === own ? DROP_GATE : index })),
  );
  entries.push({ addr: BROADCAST, gate: FLOOD_GATE });
  add(pipeline, fib, { type: "L2ForwardArg", value: { size: tableSize(entries.length) } });
  outputs.forEach((output, index) => {
    if (ports[index] !== own) link(pipeline, fib, index, output);
  });
  pipeline.commands.push({ name: fib, cmd: "add", arg: { type: "L2ForwardCommandAddArg", value: { entries } } });

  // bessd's Replicate sends the original by gate 0 whatever its list says, so the list starts with 0.
  const flood = outputs.filter((_, index) => ports[index] !== own);
  add(pipeline, replicate, { type: "ReplicateArg", value: { gates: flood.map((_, gate) => gate) } });
  flood.forEach((output, gate) => {
    link(pipeline, replicate, gate, output);
  });
  link(pipeline, fib, FLOOD_GATE, replicate);
  const value = { gate: FLOOD_GATE };
  const arg: Argument = { type: "L2ForwardCommandSetDefaultGateArg", value };
  pipeline.commands.push({ name: fib, cmd: "set_default_gate", arg });
}

/** A power of two with room to spare: bessd's table may be full before every slot is taken. */
function tableSize(entries: number): number {
  return Math.max(1024, 2 ** Math.ceil(Math.log2(entries * 2)));
}

/** The class of a module is its argument's name without "Arg". */
export function add(pipeline: Pipeline, name: string, arg: Argument): void {
  pipeline.modules.push({ name, mclass: arg.type.slice(0, -"Arg".length), arg });
}

function link(pipeline: Pipeline, m1: string, ogate: number, m2: string): void {
  pipeline.connections.push({ m1, ogate, m2, igate: 0 });
}

/** Throws RangeError, its message beginning with the builder's name. */
export function checkPorts(builder: string, ports: ForwardPort[]): void {
  if (ports.length < 1 || ports.length > MAX_PORTS) {
    throw new RangeError(`${builder}: ${ports.length} ports, possible are 1 to ${MAX_PORTS}`);
  }
  const owner = new Map<string, string>();
  for (const { name, socket, queues = 1, macs } of ports) {
    if (!/^[A-Za-z0-9_.-]{1,32}$/.test(name)) {
      throw new RangeError(`${builder}: port name '${name}' must be 1 to 32 letters, digits, '_', '.' or '-'`);
    }
    claim(builder, owner, `name ${name}`, name);
    if (!/^\/[^,\0]{1,106}$/.test(socket)) {
      throw new RangeError(
        `${builder}: socket '${socket}' of port ${name} must be an absolute path under 108 bytes, no ','`,
      );
    }
    claim(builder, owner, `socket ${socket}`, name);
    if (!Number.isInteger(queues) || queues < 1 || queues > 128) {
      throw new RangeError(`${builder}: port ${name} has ${queues} queues, possible are 1 to 128`);
    }
    for (const mac of macs) {
      if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) {
        throw new RangeError(`${builder}: '${mac}' of port ${name} is not a MAC address`);
      }
      if (Number.parseInt(mac.slice(0, 2), 16) & 1) {
        throw new RangeError(`${builder}: '${mac}' of port ${name} is a group address`);
      }
      claim(builder, owner, `MAC ${mac.toLowerCase()}`, name);
    }
  }
}

function claim(builder: string, owner: Map<string, string>, what: string, port: string): void {
  const other = owner.get(what);
  if (other !== undefined) throw new RangeError(`${builder}: ${what} of port ${port} is taken by port ${other}`);
  owner.set(what, port);
}
