// SPDX-License-Identifier: BSD-3-Clause
// Follows one frame through a pipeline, module by module, as a real bessd (or vportd) would: which ports does it leave
// by? Knows just the classes that the builders use, with bessd's quirks.
import type { Argument, Pipeline } from "@vnflab/bess-client";

type ValueOf<N extends Argument["type"]> = Extract<Argument, { type: N }>["value"];

const DROP_GATE = 8192;

interface Node {
  mclass: string;
  arg: Argument;
  table: Map<string, number>;
  defaultGate: number;
  out: Map<number, { to: string; igate: number }>;
}

interface Frame {
  destination: string;
  source: string;
  /** What a HashLB makes of the frame's flow. */
  hash: number;
}

const isGroup = (mac: string) => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;

export class Simulation {
  readonly #nodes = new Map<string, Node>();
  /** Frames that reached a gate without a peer. */
  deadends = 0;

  constructor(pipeline: Pipeline) {
    for (const { name, mclass, arg } of pipeline.modules) {
      if (this.#nodes.has(name)) throw new RangeError(`module ${name} twice`);
      this.#nodes.set(name, { mclass, arg, table: new Map(), defaultGate: DROP_GATE, out: new Map() });
    }
    for (const { m1, ogate, m2, igate } of pipeline.connections) {
      const { out } = this.#node(m1);
      const gates = ["L2Switch", "Impair"].includes(this.#node(m2).mclass) ? 8192 : 1;
      if (out.has(ogate) || igate >= gates) throw new RangeError(`link ${m1}:${ogate} -> ${igate}:${m2}`);
      out.set(ogate, { to: m2, igate });
    }
    for (const { name, cmd, arg } of pipeline.commands) this.#command(this.#node(name), cmd, arg);
  }

  #node(name: string): Node {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new RangeError(`no module ${name}`);
    return node;
  }

  #command(node: Node, cmd: string, arg: Argument): void {
    if (cmd === "add" && arg.type === "L2ForwardCommandAddArg") {
      for (const { addr = "", gate = 0 } of arg.value.entries ?? []) {
        if (node.table.has(addr)) throw new RangeError(`MAC ${addr} twice`);
        node.table.set(addr, Number(gate));
      }
    } else if (cmd === "set_default_gate" && arg.type === "L2ForwardCommandSetDefaultGateArg") {
      node.defaultGate = Number(arg.value.gate);
    } else throw new RangeError(`command ${cmd}`);
  }

  /** The ports, sorted, that a frame from `port` leaves by; one that it leaves by twice is listed twice. */
  send(port: string, queue: number, destination: string, source = "02:00:00:00:ff:ff"): string[] {
    return this.sendByQueue(port, queue, destination, source).map((end) => end.slice(0, end.lastIndexOf(":")));
  }

  /** The same with the queue: `port:queue`. */
  sendByQueue(port: string, queue: number, destination: string, source = "02:00:00:00:ff:ff", hash = 0): string[] {
    const inputs = [...this.#nodes].filter(([, { arg }]) => {
      const { port: from, qid = 0 } = arg.value as ValueOf<"QueueIncArg">;
      return arg.type === "QueueIncArg" && from === port && qid === queue;
    });
    if (inputs.length !== 1) throw new RangeError(`${inputs.length} modules read ${port}:${queue}`);
    return inputs.flatMap(([, node]) => this.#leave(node, 0, { destination, source, hash })).sort();
  }

  #leave(node: Node, gate: number, frame: Frame): string[] {
    const next = node.out.get(gate);
    if (next === undefined) {
      this.deadends++;
      return [];
    }
    return this.#enter(this.#node(next.to), next.igate, frame);
  }

  #enter(node: Node, igate: number, frame: Frame): string[] {
    switch (node.arg.type) {
      case "QueueOutArg":
        return [`${node.arg.value.port ?? ""}:${node.arg.value.qid ?? 0}`];
      case "MergeArg":
        return this.#leave(node, 0, frame);
      case "ImpairArg":
        return this.#leave(node, igate, frame);
      case "L2ForwardArg": {
        const gate = node.table.get(frame.destination) ?? node.defaultGate;
        return gate === DROP_GATE ? [] : this.#leave(node, gate, frame);
      }
      case "HashLBArg": {
        const { gates = [] } = node.arg.value;
        return this.#leave(node, Number(gates[frame.hash % gates.length]), frame);
      }
      case "L2SwitchArg":
        return this.#learn(node, node.arg.value.ports ?? 0, igate, frame);
      case "ReplicateArg": {
        // The original leaves by gate 0 whatever the first entry says.
        const copies = (node.arg.value.gates ?? []).slice(1);
        return [0, ...copies].flatMap((gate) => this.#leave(node, Number(gate), frame));
      }
      default:
        throw new RangeError(`class ${node.mclass} takes no packets`);
    }
  }

  #learn(node: Node, ports: number, igate: number, frame: Frame): string[] {
    const base = igate - (igate % ports);
    node.table.set(frame.source, igate - base);
    const to = isGroup(frame.destination) ? undefined : node.table.get(frame.destination);
    const chosen = to === undefined ? Array.from({ length: ports }, (_, port) => port) : [to];
    return chosen.filter((port) => base + port !== igate).flatMap((port) => this.#leave(node, base + port, frame));
  }
}
