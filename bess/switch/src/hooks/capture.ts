// SPDX-License-Identifier: BSD-3-Clause
// TcpDump and PcapNg: the gate's packets into a named pipe. Hooks that name one pipe write one capture.
import { unpack } from "@vnflab/bess-proto";
import type { HookOptions } from "../dataplane/dataplane.js";
import { invalid } from "../errors.js";
import type { HookClass, HookedGate } from "./hook-class.js";

function pipe(fifo: string): string {
  if (!/^\/[^\0]{1,4094}$/.test(fifo)) throw invalid("Invalid fifo: an absolute path is needed");
  return fifo;
}

/**
 * What the gate is called in a capture, and which way its packets go. A gate at the edge of the pipeline is its port:
 * what the port receives is inbound. Any other gate is its module.
 */
function place({ module, dir }: HookedGate): Required<Pick<HookOptions, "interface" | "direction">> {
  if (module.port !== undefined) {
    return { interface: module.port, direction: dir === "ogate" ? "inbound" : "outbound" };
  }
  return { interface: module.name, direction: dir === "igate" ? "inbound" : "outbound" };
}

export const tcpDump: HookClass = {
  name: "TcpDump",
  help: "writes the packets to a named pipe, as classic pcap",
  template: "tcpdump",
  commands: {},
  options: (arg, gate) => ({ fifo: pipe(unpack("TcpdumpArg", arg).fifo), ...place(gate) }),
};

export const pcapNg: HookClass = {
  name: "PcapNg",
  help: "writes the packets to a named pipe, as pcapng with interfaces, directions and drop counts",
  template: "pcapng",
  commands: {},
  options: (arg, gate) => ({ fifo: pipe(unpack("PcapngArg", arg).fifo), ...place(gate) }),
};
