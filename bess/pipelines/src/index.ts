// SPDX-License-Identifier: BSD-3-Clause
export { type ForwardOptions, type ForwardPort, forward, MAX_PORTS, type Spread } from "./forward.js";
export {
  type Impairment,
  impairMessage,
  impairModule,
  SEED_STEP,
  type SegmentLink,
  type SegmentsOptions,
  segments,
} from "./segments.js";
