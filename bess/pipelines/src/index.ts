// SPDX-License-Identifier: BSD-3-Clause
export { type ForwardOptions, type ForwardPort, forward } from "./forward.js";
