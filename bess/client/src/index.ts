// SPDX-License-Identifier: BSD-3-Clause
// What travels as Any in a reply is read by its message's name.
export { type MessageRead, unpack } from "@vnflab/bess-proto";
export { attach, detach, freeWorker, markedNames, markPipeline } from "./attach.js";
export { addCapture, type CapturePoint, type CaptureRequest, removeCapture } from "./capture.js";
export { BessClient, type Calls } from "./client.js";
export { BessError, BessUnreachableError } from "./errors.js";
export type { Argument, Pipeline } from "./pipeline.js";
export { packArgument } from "./pipeline.js";
export type { ConnectOptions } from "./transport.js";
