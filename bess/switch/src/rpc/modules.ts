// SPDX-License-Identifier: BSD-3-Clause
import { invalid } from "../errors.js";
import { classNames, moduleClass } from "../modules/registry.js";
import type { Graph, Link, Module } from "../state/graph.js";
import { type Handlers, now } from "./handlers.js";

const TRACK = { class_name: "Track", hook_name: "track0" };

function ogate(graph: Graph, link: Link) {
  const { batches, packets } = graph.counters(link);
  return {
    ogate: link.ogate,
    cnt: batches,
    pkts: packets,
    timestamp: link.tracked ? now() : 0,
    name: link.to.name,
    igate: link.igate,
    gatehooks: link.tracked ? [TRACK] : [],
  };
}

function igates(module: Module) {
  const feeders = new Map<number, { ogate: number; name: string }[]>();
  for (const { igate, ogate, from } of module.in) {
    feeders.set(igate, [...(feeders.get(igate) ?? []), { ogate, name: from.name }]);
  }
  return [...feeders].map(([igate, ogates]) => ({ igate, ogates }));
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
      igates: igates(module),
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

  ListGateHookClass: () => ({ names: [TRACK.class_name] }),
};
