// SPDX-License-Identifier: BSD-3-Clause
// A pipeline as plain data: what apply() creates, in the order of its fields.
import { type Message, type MessageName, type PackedAny, pack } from "@vnflab/bess-proto";

/** An argument message by name and content. */
export type Argument = { [N in MessageName]: { type: N; value: Message<N> } }[MessageName];

export interface Pipeline {
  workers: { wid: number; core: number }[];
  ports: { name: string; driver: string; queues: number; arg: Argument }[];
  modules: { name: string; mclass: string; arg: Argument }[];
  connections: { m1: string; ogate: number; m2: string; igate: number }[];
  commands: { name: string; cmd: string; arg: Argument }[];
}

export function packArgument(arg: Argument): PackedAny {
  // The union ties each value to its own message name; TypeScript cannot follow that through a call.
  return pack(arg.type, arg.value as Message<typeof arg.type>);
}
