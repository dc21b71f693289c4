// SPDX-License-Identifier: BSD-3-Clause
export * from "./any.js";
export * from "./schema.js";
