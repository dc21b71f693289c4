// SPDX-License-Identifier: BSD-3-Clause
// The small classes inside a pipeline.
import { unpack } from "@vnflab/bess-proto";
import { invalid } from "../errors.js";
import { command, MAX_BURST, MAX_GATES, type ModuleClass } from "./module-class.js";
import { setBurst } from "./ports.js";

const REPLICATE_GATES = 32;
const DEFAULT_PKT_SIZE = 60;
const MAX_PKT_SIZE = 1518;

/** Also of HashLB: up to `most` gates, each below `bound`. */
export function gateList(gates: number[], most: number, bound: number): number[] {
  if (gates.length > most) throw invalid(`no more than ${most} gates`);
  const bad = gates.find((gate) => gate < 0 || gate >= bound);
  if (bad !== undefined) throw invalid(`Invalid gate: ${bad}`);
  return gates;
}

const replicateGates = (gates: number[]) => gateList(gates, REPLICATE_GATES, REPLICATE_GATES);

export const replicate: ModuleClass = {
  name: "Replicate",
  help: "the original leaves by gate 0, copies by the second and later gates of the list",
  template: "repl",
  igates: 1,
  ogates: REPLICATE_GATES,
  commands: {
    set_gates: command("ReplicateCommandSetGatesArg", false, ({ id, plane }, { gates }) => {
      plane.command(id, "set_gates", replicateGates(gates));
    }),
  },
  create: (_context, any) => ({ args: replicateGates(unpack("ReplicateArg", any).gates) }),
};

export const merge: ModuleClass = {
  name: "Merge",
  help: "whatever comes in leaves by gate 0",
  template: "merge",
  igates: MAX_GATES,
  ogates: 1,
  commands: {},
  create: () => ({ args: [] }),
};

export const sink: ModuleClass = {
  name: "Sink",
  help: "drops every packet",
  template: "sink",
  igates: 1,
  ogates: 0,
  commands: {},
  create: () => ({ args: [] }),
};

function pktSize(asked: number): number {
  if (asked > MAX_PKT_SIZE) throw invalid(`Invalid packet size ${asked}: at most ${MAX_PKT_SIZE} is allowed`);
  return asked === 0 ? DEFAULT_PKT_SIZE : asked;
}

export const source: ModuleClass = {
  name: "Source",
  help: "endless packets of zeros",
  template: "source",
  igates: 0,
  ogates: 1,
  commands: {
    set_burst: setBurst("SourceCommandSetBurstArg"),
    set_pkt_size: command("SourceCommandSetPktSizeArg", true, ({ id, plane }, { pkt_size }) => {
      plane.command(id, "set_pkt_size", [pktSize(pkt_size)]);
    }),
  },
  create: (_context, any) => ({ args: [pktSize(unpack("SourceArg", any).pkt_size), MAX_BURST] }),
};
