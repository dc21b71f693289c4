// SPDX-License-Identifier: BSD-3-Clause
export { BessClient, type Calls } from "./client.js";
export { BessError, BessUnreachableError } from "./errors.js";
export type { Argument, Pipeline } from "./pipeline.js";
export { packArgument } from "./pipeline.js";
export type { ConnectOptions } from "./transport.js";
