// SPDX-License-Identifier: BSD-3-Clause
import { pack, unpack } from "@vnflab/bess-proto";
import { DataPlaneError, Errno, invalid, RpcError } from "../errors.js";
import { parseMac } from "../state/mac.js";
import { command, DROP_GATE, MAX_GATES, type ModuleClass, type Target } from "./module-class.js";

const DEFAULT_SIZE = 1024;
const MAX_SIZE = 2 ** 26;
const DEFAULT_BUCKET = 4;

const isPowerOfTwo = (n: number) => Number.isInteger(Math.log2(n));

function macOf(addr: string): number {
  const mac = parseMac(addr);
  if (mac === undefined) throw invalid(`${addr} is not a proper mac address`);
  return mac.number;
}

function checkGate(gate: number): void {
  if (gate < 0 || gate > DROP_GATE) throw invalid(`Invalid gate: ${gate}`);
}

/** One entry's command to the table; `texts` replaces what the data plane says by what bessd says. */
function onTable(target: Target, name: string, args: number[], texts: Record<number, string>): number {
  try {
    return target.plane.command(target.id, name, args);
  } catch (error) {
    const text = error instanceof DataPlaneError ? texts[error.code] : undefined;
    throw text === undefined ? error : new RpcError((error as DataPlaneError).code, text);
  }
}

const absent = (addr: string) => ({ [Errno.ENOENT]: `MAC address '${addr}' does not exist` });

export const l2Forward: ModuleClass = {
  name: "L2Forward",
  help: "forwards by destination MAC address: exact match, no learning",
  template: "l2_forward",
  igates: 1,
  ogates: MAX_GATES,
  commands: {
    add: command("L2ForwardCommandAddArg", false, (target, { entries }) => {
      for (const { addr, gate } of entries) {
        if (addr === "") throw invalid("add list item map must contain addr as a string");
        const mac = macOf(addr);
        checkGate(gate);
        onTable(target, "add", [mac, gate], {
          [Errno.EEXIST]: `MAC address '${addr}' already exist`,
          [Errno.ENOMEM]: "Not enough space",
        });
      }
    }),
    delete: command("L2ForwardCommandDeleteArg", false, (target, { addrs }) => {
      for (const addr of addrs) onTable(target, "delete", [macOf(addr)], absent(addr));
    }),
    lookup: command("L2ForwardCommandLookupArg", true, (target, { addrs }) =>
      pack("L2ForwardCommandLookupResponse", {
        gates: addrs.map((addr) => onTable(target, "lookup", [macOf(addr)], absent(addr))),
      }),
    ),
    set_default_gate: command("L2ForwardCommandSetDefaultGateArg", true, (target, { gate }) => {
      checkGate(gate);
      target.plane.command(target.id, "set_default_gate", [gate]);
    }),
  },
  create(_context, any) {
    const arg = unpack("L2ForwardArg", any);
    const size = arg.size === 0 ? DEFAULT_SIZE : arg.size;
    const bucket = arg.bucket === 0 ? DEFAULT_BUCKET : arg.bucket;
    if (size < 1 || size > MAX_SIZE || !isPowerOfTwo(size)) {
      throw invalid(`Invalid size ${size}: a power of two up to ${MAX_SIZE} is allowed`);
    }
    if (bucket < 1 || bucket > DEFAULT_BUCKET || !isPowerOfTwo(bucket)) {
      throw invalid(`Invalid bucket ${bucket}: 1, 2 or 4 is allowed`);
    }
    return { args: [size * bucket] };
  },
};
