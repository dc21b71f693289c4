// SPDX-License-Identifier: BSD-3-Clause
// Gates that have a link, and the hooks at them.
import type { PackedAny } from "@vnflab/bess-proto";
import type { HookPlane } from "../dataplane/dataplane.js";
import { Errno, RpcError, unsupported } from "../errors.js";
import type { HookClass, HookedGate } from "../hooks/hook-class.js";
import { track } from "../hooks/track.js";
import { chooseName } from "./names.js";

export interface Hook {
  /** Unique at its gate. */
  readonly name: string;
  readonly class: HookClass;
  readonly id: number;
  readonly arg: PackedAny | null;
}

export interface Gate extends HookedGate {
  readonly module: HookedGate["module"] & { readonly id: number };
  readonly number: number;
  /** In the order in which they came. */
  readonly hooks: Hook[];
}

export interface Counted {
  readonly batches: number;
  readonly packets: number;
  readonly bytes: number;
}

/** No worker may run while hooks come, go or are reset. */
export class Hooks {
  constructor(private readonly plane: HookPlane) {}

  add(gate: Gate, cls: HookClass, asked: string, arg: PackedAny | null): Hook {
    const taken = new Set(gate.hooks.map(({ name }) => name));
    const name = chooseName(asked, cls.template, taken);
    if (taken.has(name)) {
      throw new RpcError(Errno.EEXIST, `${describe(gate)} already has a hook named '${name}'`);
    }
    const { module, dir, number } = gate;
    const place = { module: module.id, igate: dir === "igate", gate: number };
    const hook: Hook = { name, class: cls, id: this.plane.create(cls.name, place, cls.options(arg, gate)), arg };
    gate.hooks.push(hook);
    return hook;
  }

  remove(gate: Gate, hook: Hook): void {
    this.plane.destroy(hook.id);
    gate.hooks.splice(gate.hooks.indexOf(hook), 1);
  }

  clear(gate: Gate): void {
    for (const hook of [...gate.hooks]) this.remove(gate, hook);
  }

  /** What the gate's first Track has counted; undefined when it has none. */
  counted(gate: Gate): Counted | undefined {
    const tracker = gate.hooks.find((hook) => hook.class === track);
    return tracker && this.plane.counters(tracker.id);
  }

  /** False when the reader of the hook's pipe has gone. */
  isAlive(hook: Hook): boolean {
    return hook.class === track || this.plane.counters(hook.id).alive;
  }

  command(hook: Hook, name: string, running: boolean): void {
    if (!Object.hasOwn(hook.class.commands, name)) {
      throw unsupported(`'${hook.class.name}' does not support command '${name}'`);
    }
    if (running) {
      throw new RpcError(Errno.EBUSY, `There is a running worker and command '${name}' is not MT safe`);
    }
    this.plane.reset(hook.id); // the one command that there is
  }
}

/** As bessd writes it: `fib: ogate '3'`. */
export function describe({ module, dir, number }: HookedGate & Pick<Gate, "number">): string {
  return `${module.name}: ${dir} '${number}'`;
}
