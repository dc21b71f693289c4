// SPDX-License-Identifier: BSD-3-Clause
// Several Ethernet segments on one switch: the ports of a link see each other and nobody else.
//
// A link whose ports all say their addresses is forward()'s pipeline, from standard modules: it runs on a real bessd.
// Where a port does not (who is behind it is not known), or the link is impaired, an L2Switch learns instead:
//
//   in_A_q (QueueInc) -> switch_LINK (L2Switch), port i in lane q by gate q * ports + i -> out_B_q ... (QueueOut)
//
// On vportd every port has an Impair behind its inputs, whether the link is impaired or not:
//
//   in_A_q -> gate q of impair_A (Impair) by gate q -> fib_A_q or switch_LINK
//
// so that a link can be impaired while it carries traffic, without taking the graph apart. One that does nothing costs
// some 2 ns a frame. It stands at the input: what A sends is impaired once, whoever it is for, and a round trip
// between A and B sees the delay twice. One Impair has all queues of its port, which thus share one rate.
//
// With spread "hash" the flow of a frame chooses the receiver's queue, as in forward(), by a HashLB before the outputs of
// each port with several queues; a bessd has that module too.
import type { Argument, Pipeline } from "@vnflab/bess-client";
import {
  add,
  addSpread,
  checkPorts,
  type ForwardPort,
  forward,
  laneOutput,
  queueInput,
  queueOutput,
  queuesOf,
  type Spread,
  vhostPorts,
} from "./forward.js";

/** What happens to the frames of each port of a link, on their way in. */
export interface Impairment {
  delayUs?: number;
  /** Frames stay for delay +- jitter, uniformly; they pass each other then. */
  jitterUs?: number;
  /** 0 to 1, as the next two. */
  loss?: number;
  duplicate?: number;
  /** Frames that go at once, past delay and rate. */
  reorder?: number;
  /** Bits a second; absent: as fast as it goes. */
  rateBps?: number;
  seed?: number;
}

export interface SegmentLink {
  name: string;
  ports: ForwardPort[];
  impair?: Impairment;
  /** "lanes" when absent. */
  spread?: Spread | undefined;
}

export interface SegmentsOptions {
  worker?: { wid: number; core: number };
  /** The daemon is vportd: it has L2Switch and Impair. A bessd has not, and refuses impaired links. */
  ownModules: boolean;
}

export function segments(links: SegmentLink[], { worker, ownModules }: SegmentsOptions): Pipeline {
  checkPorts(
    "segments",
    links.flatMap(({ ports }) => ports),
  );
  const parts = links.map((link, index) => segment(link, index, ownModules));
  return {
    workers: worker === undefined ? [] : [worker],
    ports: parts.flatMap(({ ports }) => ports),
    modules: parts.flatMap(({ modules }) => modules),
    connections: parts.flatMap(({ connections }) => connections),
    commands: parts.flatMap(({ commands }) => commands),
  };
}

/** The Impair of a port, in a pipeline with own modules. */
export const impairModule = (port: string) => `impair_${port}`;

/** Seeds of a link's ports lie beside each other; those of links are further apart than ports can be many. */
export const SEED_STEP = 1_000_003;

/** The message for one port of the link; `index`: each port has its own chances, all from the link's seed. */
export function impairMessage(impair: Impairment, index: number): Extract<Argument, { type: "ImpairArg" }>["value"] {
  const { delayUs = 0, jitterUs = 0, loss = 0, duplicate = 0, reorder = 0, rateBps = 0, seed = 0 } = impair;
  const ns = (us: number) => Math.round(us * 1000);
  return {
    ...{ delay_ns: ns(delayUs), jitter_ns: ns(jitterUs), loss, duplicate, reorder, rate_bps: Math.round(rateBps) },
    seed: seed * SEED_STEP + index,
  };
}

function segment(link: SegmentLink, index: number, ownModules: boolean): Pipeline {
  if (!ownModules) {
    if (link.impair === undefined) return forward(link.ports, { spread: link.spread });
    throw new RangeError(`segments: link ${link.name} is impaired, which needs vportd's own modules`);
  }
  const learns = link.impair !== undefined || link.ports.some(({ macs }) => macs.length === 0);
  return withImpairs(learns ? learning(link, index) : forward(link.ports, { spread: link.spread }), link);
}

function learning({ ports, spread }: SegmentLink, index: number): Pipeline {
  const pipeline: Pipeline = { workers: [], ports: vhostPorts(ports), modules: [], connections: [], commands: [] };
  const lanes = Math.max(...ports.map(queuesOf));
  const name = `switch_${index}`;
  add(pipeline, name, { type: "L2SwitchArg", value: { ports: ports.length, lanes } });
  ports.forEach((port, i) => {
    for (let qid = 0; qid < queuesOf(port); qid++) {
      add(pipeline, queueOutput(port, qid), { type: "QueueOutArg", value: { port: port.name, qid } });
      add(pipeline, queueInput(port, qid), { type: "QueueIncArg", value: { port: port.name, qid } });
      const igate = qid * ports.length + i;
      pipeline.connections.push({ m1: queueInput(port, qid), ogate: 0, m2: name, igate });
    }
    addSpread(pipeline, port, spread);
    for (let lane = 0; lane < lanes; lane++) {
      const ogate = lane * ports.length + i;
      pipeline.connections.push({ m1: name, ogate, m2: laneOutput(port, lane, spread), igate: 0 });
    }
  });
  return pipeline;
}

/** Puts an Impair between the inputs of each port and what follows them. */
function withImpairs(pipeline: Pipeline, { ports, impair = {} }: SegmentLink): Pipeline {
  const inputs = new Map<string, { module: string; qid: number }>();
  const modules = ports.map((port, index) => {
    const name = impairModule(port.name);
    for (let qid = 0; qid < queuesOf(port); qid++) inputs.set(queueInput(port, qid), { module: name, qid });
    return { name, mclass: "Impair", arg: { type: "ImpairArg" as const, value: impairMessage(impair, index) } };
  });
  const connections = pipeline.connections.flatMap((link) => {
    const through = inputs.get(link.m1);
    if (through === undefined) return [link];
    return [
      { ...link, m2: through.module, igate: through.qid },
      { ...link, m1: through.module, ogate: through.qid },
    ];
  });
  return { ...pipeline, modules: [...pipeline.modules, ...modules], connections };
}
