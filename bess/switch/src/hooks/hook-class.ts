// SPDX-License-Identifier: BSD-3-Clause
// What a class of gate hooks is to the control plane. How it treats packets is in dataplane/hook_*.c.
import type { MessageName, PackedAny } from "@vnflab/bess-proto";
import type { HookOptions } from "../dataplane/dataplane.js";

/** Where a hook is, as far as its class is concerned. */
export interface HookedGate {
  readonly module: { readonly name: string; readonly port?: string };
  readonly dir: "igate" | "ogate";
}

export interface HookClass {
  readonly name: string;
  readonly help: string;
  /** Names that the daemon chooses are this and a number. */
  readonly template: string;
  /** The commands by name, with the message that each takes. All are refused while a worker runs the module. */
  readonly commands: Readonly<Record<string, MessageName>>;
  /** What the data plane is told about a new hook at this gate. */
  options(arg: PackedAny | null, gate: HookedGate): HookOptions;
}
