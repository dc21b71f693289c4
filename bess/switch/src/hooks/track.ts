// SPDX-License-Identifier: BSD-3-Clause
import { unpack } from "@vnflab/bess-proto";
import type { HookClass } from "./hook-class.js";

export const track: HookClass = {
  name: "Track",
  help: "counts batches and packets, and bytes when told to",
  template: "track",
  commands: { reset: "EmptyArg" },
  options: (arg) => ({ bits: unpack("TrackArg", arg).bits }),
};
