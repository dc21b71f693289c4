// SPDX-License-Identifier: BSD-3-Clause
import { invalid } from "../errors.js";
import { classNames, moduleClass } from "../modules/registry.js";
import type { Gate } from "../state/gates.js";
import type { Graph, Link, Module } from "../state/graph.js";
import { type Handlers, now } from "./handlers.js";

/** Counts come from the gate's first Track; without one there is no time stamp either. */
function counts({ hooks }: Graph, gate: Gate) {
  const counted = hooks.counted(gate);
  return {
    cnt: counted?.batches ?? 0,
    pkts: counted?.packets ?? 0,
    bytes: counted?.bytes ?? 0,
    timestamp: counted === undefined ? 0 : now(),
    gatehooks: gate.hooks.map((hook) => ({ class_name: hook.class.name, hook_name: hook.name })),
  };
}

function ogate(graph: Graph, link: Link) {
  return { ogate: link.ogate, name: link.to.name, igate: link.igate, ...counts(graph, link.gate) };
}

function igate(graph: Graph, module: Module, gate: Gate) {
  const feeders = [...module.in].filter((link) => link.igate === gate.number);
  const ogates = feeders.map(({ ogate: number, from }) => ({ ogate: number, name: from.name }));
  return { igate: gate.number, ogates, ...counts(graph, gate) };
}

export const moduleHandlers: Handlers = {
  ListMclass: () => ({ names: classNames }),

  GetMclassInfo(_sw, { name }) {
    const { help, commands } = moduleClass(name);
    const all = [...Object.entries(commands).map(([cmd, { arg }]) => [cmd, arg]), ["get_initial_arg", "EmptyArg"]];
    return { name, help, cmds: all.map(([cmd = ""]) => cmd), cmd_args: all.map(([, arg = ""]) => arg) };
  },

  ResetModules(sw) {
    sw.resetModules();
    return {};
  },

  ListModules: ({ graph }) => ({
    modules: [...graph].map(({ name, class: cls, desc }) => ({ name, mclass: cls.name, desc })),
  }),

  CreateModule({ graph }, request) {
    return { error: {}, name: graph.create(request).name };
  },

  DestroyModule({ graph, workers }, { name }) {
    if (name === "") throw invalid("Module name is not given");
    const module = graph.get(name);
    workers.whilePaused(() => {
      workers.detach((task) => task.module === module);
      graph.destroy(module);
    });
    return {};
  },

  GetModuleInfo({ graph }, { name }) {
    const module = graph.get(name);
    const links = [...module.out.values()].sort((a, b) => a.ogate - b.ogate);
    return {
      name,
      mclass: module.class.name,
      desc: module.desc,
      igates: [...module.inGates.values()].map((gate) => igate(graph, module, gate)),
      ogates: links.map((link) => ogate(graph, link)),
      deadends: graph.deadends(module),
    };
  },

  ConnectModules({ graph, workers }, { m1, m2, ogate, igate, skip_default_hooks }) {
    const from = graph.get(m1);
    const to = graph.get(m2);
    const connect = () => graph.connect(from, ogate, to, igate, !skip_default_hooks);
    if (workers.isRunning(from) || workers.isRunning(to)) workers.whilePaused(connect);
    else connect();
    return {};
  },

  DisconnectModules({ graph, workers }, { name, ogate }) {
    const module = graph.get(name);
    workers.whilePaused(() => graph.disconnect(module, ogate));
    return {};
  },

  ModuleCommand({ graph, workers }, { name, cmd, arg }) {
    const module = graph.get(name);
    return { data: graph.command(module, cmd, arg, workers.isRunning(module)) };
  },
};
