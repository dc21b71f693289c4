// SPDX-License-Identifier: BSD-3-Clause
// What a module class is to the control plane. How it treats packets is in dataplane/mod_*.c.
import { type MessageName, type MessageRead, type PackedAny, unpack } from "@vnflab/bess-proto";
import type { ModulePlane } from "../dataplane/dataplane.js";
import type { Port } from "../state/ports.js";

export const MAX_BURST = 64;
export const MAX_GATES = 8192;
/** Queues of a port that one module may carry side by side. */
export const MAX_LANES = 128;
/** "Gate" that means: drop. */
export const DROP_GATE = 8192;

/** What the creation of a module may look at. */
export interface CreateContext {
  findPort(name: string): Port | undefined;
}

/** A module to its class's commands. */
export interface Target {
  readonly id: number;
  readonly plane: ModulePlane;
}

export interface Command {
  readonly arg: MessageName;
  /** False: refused while a worker runs the module. */
  readonly threadSafe: boolean;
  run(target: Target, arg: PackedAny | null): PackedAny | null;
}

export interface ModuleClass {
  readonly name: string;
  readonly help: string;
  /** Names that the daemon chooses are this and a number. */
  readonly template: string;
  readonly igates: number;
  readonly ogates: number;
  readonly commands: Readonly<Record<string, Command>>;
  /** The data plane's arguments for a new module, what ListModules says about it, and the port it belongs to. */
  create(context: CreateContext, arg: PackedAny | null): { args: number[]; desc?: string; port?: string };
}

export function command<N extends MessageName>(
  arg: N,
  threadSafe: boolean,
  // biome-ignore lint/suspicious/noConfusingVoidType: most commands answer nothing
  run: (target: Target, value: MessageRead<N>) => PackedAny | void,
): Command {
  return { arg, threadSafe, run: (target, any) => run(target, unpack(arg, any)) ?? null };
}
