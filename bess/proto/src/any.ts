// SPDX-License-Identifier: BSD-3-Clause
// Arguments of modules, ports and commands travel as google.protobuf.Any.
import type { MessageTypeDefinition } from "@grpc/proto-loader";
import type { ProtoGrpcType as ModuleTypes } from "./generated/module_msg.js";
import type { ProtoGrpcType as PortTypes } from "./generated/port_msg.js";
import type { ProtoGrpcType as ServiceTypes } from "./generated/service.js";
import type { ProtoGrpcType as VportdTypes } from "./generated/vportd_msg.js";
import { schema } from "./schema.js";

type Messages = ModuleTypes["bess"]["pb"] &
  PortTypes["bess"]["pb"] &
  VportdTypes["bess"]["pb"] &
  Omit<ServiceTypes["bess"]["pb"], "BESSControl">;

export type MessageName = keyof Messages & string;
export type Message<N extends MessageName> = Messages[N] extends MessageTypeDefinition<infer I, infer _O> ? I : never;
export type MessageRead<N extends MessageName> =
  Messages[N] extends MessageTypeDefinition<infer _I, infer O> ? O : never;

export interface PackedAny {
  type_url: string;
  value: Buffer;
}

const TYPE_PREFIX = "type.googleapis.com/bess.pb.";

function definition<N extends MessageName>(name: N): MessageTypeDefinition<Message<N>, MessageRead<N>> {
  const found = schema[`bess.pb.${name}`];
  if (found === undefined || !("serialize" in found)) throw new TypeError(`bess.pb has no message ${name}`);
  return found as unknown as MessageTypeDefinition<Message<N>, MessageRead<N>>;
}

export function encode<N extends MessageName>(name: N, value: Message<N>): Buffer {
  return definition(name).serialize(value);
}

/** Throws on bytes that are not a message. */
export function decode<N extends MessageName>(name: N, bytes: Buffer): MessageRead<N> {
  return definition(name).deserialize(bytes);
}

export function pack<N extends MessageName>(name: N, value: Message<N>): PackedAny {
  return { type_url: TYPE_PREFIX + name, value: encode(name, value) };
}

/**
 * The message inside `any`. Like bessd, an absent, wrongly typed or unreadable Any reads as the message with all
 * its defaults.
 */
export function unpack<N extends MessageName>(name: N, any: PackedAny | null | undefined): MessageRead<N> {
  const empty = Buffer.alloc(0);
  if (any?.type_url !== TYPE_PREFIX + name) return decode(name, empty);
  try {
    return decode(name, any.value);
  } catch {
    return decode(name, empty);
  }
}
