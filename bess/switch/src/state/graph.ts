// SPDX-License-Identifier: BSD-3-Clause
// Modules by name and the links between them, kept in step with the data plane.
import type { PackedAny } from "@vnflab/bess-proto";
import type { DataPlane } from "../dataplane/dataplane.js";
import { Errno, missing, RpcError, unsupported } from "../errors.js";
import { track } from "../hooks/track.js";
import type { CreateContext, ModuleClass, Target } from "../modules/module-class.js";
import { moduleClass } from "../modules/registry.js";
import { type Gate, Hooks } from "./gates.js";
import { chooseName } from "./names.js";

export interface Link {
  readonly from: Module;
  readonly ogate: number;
  readonly to: Module;
  readonly igate: number;
  /** The output gate; the input gate is the module's, several links may share it. */
  readonly gate: Gate;
}

export interface Module {
  readonly name: string;
  readonly class: ModuleClass;
  readonly id: number;
  readonly tasks: number;
  readonly desc: string;
  readonly arg: PackedAny | null;
  /** The port whose queues it owns. */
  readonly port?: string;
  /** Input gates that have a link. */
  readonly inGates: Map<number, Gate>;
  /** By output gate. */
  readonly out: Map<number, Link>;
  readonly in: Set<Link>;
}

export class Graph {
  readonly #modules = new Map<string, Module>();
  readonly hooks: Hooks;

  constructor(
    private readonly plane: Pick<DataPlane, "modules" | "gates" | "hooks">,
    private readonly context: CreateContext,
  ) {
    this.hooks = new Hooks(plane.hooks);
  }

  [Symbol.iterator](): IterableIterator<Module> {
    return this.#modules.values();
  }

  get(name: string): Module {
    const module = this.#modules.get(name);
    if (module === undefined) throw missing(`No module '${name}' found`);
    return module;
  }

  create(request: { name: string; mclass: string; arg: PackedAny | null }): Module {
    const cls = moduleClass(request.mclass);
    const name = chooseName(request.name, cls.template, this.#modules);
    if (this.#modules.has(name)) throw new RpcError(Errno.EEXIST, `Module ${name} exists`);
    const { args, desc = "", port } = cls.create(this.context, request.arg);
    const { id, tasks } = this.plane.modules.create(cls.name, args);
    const module: Module = {
      name,
      class: cls,
      id,
      tasks,
      desc,
      arg: request.arg,
      ...(port === undefined ? {} : { port }),
      inGates: new Map(),
      out: new Map(),
      in: new Set(),
    };
    this.#modules.set(name, module);
    return module;
  }

  /** No worker may run it, and none may hold its tasks. */
  destroy(module: Module): void {
    for (const link of [...module.out.values(), ...module.in]) this.#unlink(link);
    this.plane.modules.destroy(module.id);
    this.#modules.delete(module.name);
  }

  connect(from: Module, ogate: number, to: Module, igate: number, tracked: boolean): void {
    const refused = (code: number, why = "") => {
      throw new RpcError(code, `Connection ${from.name}:${ogate}->${igate}:${to.name} failed${why}`);
    };
    if (ogate >= from.class.ogates || igate >= to.class.igates) refused(Errno.EINVAL);
    if (from.out.has(ogate)) refused(Errno.EBUSY);
    if (this.reachedFrom(to).has(from)) refused(Errno.ELOOP, ": packets would go round");
    this.plane.gates.connect(from.id, ogate, to.id, igate);
    const gate: Gate = { module: from, dir: "ogate", number: ogate, hooks: [] };
    const link: Link = { from, ogate, to, igate, gate };
    from.out.set(ogate, link);
    to.in.add(link);
    if (!to.inGates.has(igate)) to.inGates.set(igate, { module: to, dir: "igate", number: igate, hooks: [] });
    if (tracked) this.hooks.add(gate, track, "", null);
  }

  /** An unconnected gate is no error. */
  disconnect(from: Module, ogate: number): void {
    const link = from.out.get(ogate);
    if (link !== undefined) this.#unlink(link);
  }

  #unlink(link: Link): void {
    this.hooks.clear(link.gate);
    link.from.out.delete(link.ogate);
    link.to.in.delete(link);
    const inGate = link.to.inGates.get(link.igate);
    if (inGate !== undefined && ![...link.to.in].some(({ igate }) => igate === link.igate)) {
      this.hooks.clear(inGate);
      link.to.inGates.delete(link.igate);
    }
    this.plane.gates.disconnect(link.from.id, link.ogate);
  }

  /** The module's gates that have a link: input gates first, each kind in order. */
  gates(module: Module): Gate[] {
    const gates = [...module.inGates.values(), ...[...module.out.values()].map(({ gate }) => gate)];
    return gates.sort((a, b) => a.dir.localeCompare(b.dir) || a.number - b.number);
  }

  gate(module: Module, dir: Gate["dir"], number: number): Gate | undefined {
    return dir === "igate" ? module.inGates.get(number) : module.out.get(number)?.gate;
  }

  /** The modules that packets leaving `start` can come to, itself included. */
  reachedFrom(start: Module): Set<Module> {
    const seen = new Set([start]);
    for (const module of seen) {
      for (const { to } of module.out.values()) seen.add(to);
    }
    return seen;
  }

  command(module: Module, name: string, arg: PackedAny | null, running: boolean): PackedAny | null {
    if (name === "get_initial_arg") return module.arg;
    const found = Object.hasOwn(module.class.commands, name) ? module.class.commands[name] : undefined;
    if (found === undefined) throw unsupported(`'${module.class.name}' does not support command '${name}'`);
    if (running && !found.threadSafe) {
      const text = `There is a running worker and command '${name}' is not MT safe`;
      throw new RpcError(Errno.EBUSY, text);
    }
    const target: Target = { id: module.id, plane: this.plane.modules };
    return found.run(target, arg);
  }

  deadends(module: Module): number {
    return this.plane.modules.deadends(module.id);
  }

  setShared(module: Module, shared: boolean): void {
    this.plane.modules.setShared(module.id, shared);
  }
}
