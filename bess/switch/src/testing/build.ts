// SPDX-License-Identifier: BSD-3-Clause
// What the tests of the switch build again and again.
import { type Message, type MessageName, pack } from "@vnflab/bess-proto";
import type { Caller } from "./rpc.js";

export async function port(rpc: Caller, name: string, vdev: string, queues = 1): Promise<void> {
  const arg = pack("PMDPortArg", { vdev });
  await rpc.ok("CreatePort", { name, driver: "PMDPort", num_inc_q: queues, num_out_q: queues, arg });
}

export async function module<N extends MessageName & `${string}Arg`>(
  rpc: Caller,
  name: string,
  arg: N,
  value: Message<N>,
): Promise<void> {
  await rpc.ok("CreateModule", { name, mclass: arg.slice(0, -3), arg: pack(arg, value) });
}

/** `a:1 -> b`, `a -> 2:b` */
export async function link(rpc: Caller, text: string): Promise<void> {
  const match = /^(\w+)(?::(\d+))? -> (?:(\d+):)?(\w+)$/.exec(text);
  if (match === null) throw new RangeError(`not a link: ${text}`);
  const [, m1 = "", ogate = "0", igate = "0", m2 = ""] = match;
  await rpc.ok("ConnectModules", { m1, m2, ogate: Number(ogate), igate: Number(igate) });
}

export async function command<N extends MessageName>(
  rpc: Caller,
  target: string,
  arg: N,
  value: Message<N>,
): Promise<ReturnType<Caller["call"]>> {
  const [name, cmd] = target.split(".");
  return rpc.call("ModuleCommand", { name: name ?? "", cmd: cmd ?? "", arg: pack(arg, value) });
}
