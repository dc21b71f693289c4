// SPDX-License-Identifier: BSD-3-Clause
// Loads the .proto files once. One set of options for the service, for Any and for the generated types
// (the `gen` script of package.json names the same ones).
import { fileURLToPath } from "node:url";
import { loadSync, type MethodDefinition, type Options, type PackageDefinition } from "@grpc/proto-loader";
import type { BESSControlDefinition } from "./generated/bess/pb/BESSControl.js";

const PROTO_DIR = fileURLToPath(new URL("../protos/", import.meta.url));

const FILES = ["service.proto", "module_msg.proto", "vportd_msg.proto", "util_msg.proto", "ports/port_msg.proto"];
const OPTIONS: Options = { keepCase: true, longs: Number, defaults: true, oneofs: true, includeDirs: [PROTO_DIR] };

export const schema: PackageDefinition = loadSync(FILES, OPTIONS);

/** The service as grpc-js takes it; paths are `/bess.pb.BESSControl/<Method>`. */
export const bessControl = schema["bess.pb.BESSControl"] as unknown as BESSControlDefinition;

/** The methods alone, without the index signature that grpc-js adds. */
type Methods = { [K in keyof BESSControlDefinition as string extends K ? never : K]: BESSControlDefinition[K] };

export type MethodName = Exclude<keyof Methods, number>;

/** What a caller of the method gives. */
export type Request<M extends MethodName> =
  Methods[M] extends MethodDefinition<infer I, infer _O, infer _RI, infer _RO> ? I : never;
/** What a server of the method reads. */
export type RequestRead<M extends MethodName> =
  Methods[M] extends MethodDefinition<infer _I, infer _O, infer RI, infer _RO> ? RI : never;
/** What a server of the method gives. */
export type Reply<M extends MethodName> =
  Methods[M] extends MethodDefinition<infer _I, infer O, infer _RI, infer _RO> ? O : never;
/** What a caller of the method reads. */
export type ReplyRead<M extends MethodName> =
  Methods[M] extends MethodDefinition<infer _I, infer _O, infer _RI, infer RO> ? RO : never;

export const methodNames = Object.keys(bessControl) as MethodName[];
