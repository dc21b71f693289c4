// SPDX-License-Identifier: BSD-3-Clause
export * from "./any.js";
export type { BESSControlClient, BESSControlHandlers } from "./generated/bess/pb/BESSControl.js";
export * from "./schema.js";
