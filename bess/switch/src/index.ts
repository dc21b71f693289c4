// SPDX-License-Identifier: BSD-3-Clause
export { main } from "./main.js";
