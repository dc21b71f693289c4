// SPDX-License-Identifier: BSD-3-Clause
import type { RequestRead } from "@vnflab/bess-proto";
import { invalid, missing } from "../errors.js";
import { hookClass, hookClassNames } from "../hooks/registry.js";
import { describe, type Gate } from "../state/gates.js";
import type { Graph, Module } from "../state/graph.js";
import type { Switch } from "../switch.js";
import type { Handlers } from "./handlers.js";

type HookInfo = NonNullable<RequestRead<"ConfigureGateHook">["hook"]>;

/** A request without a gate means output gate 0, as in bessd. */
function gateOf(info: HookInfo): Pick<Gate, "dir" | "number"> {
  if (info.gate === "igate") return { dir: "igate", number: info.igate ?? 0 };
  return { dir: "ogate", number: info.ogate ?? 0 };
}

function oneGate(graph: Graph, module: Module, place: Pick<Gate, "dir" | "number">): Gate {
  const found = graph.gate(module, place.dir, place.number);
  if (found === undefined) throw invalid(`${describe({ module, ...place })} does not exist`);
  return found;
}

/** All gates that the request means: -1 is every gate of the direction, no module every module. */
function gates({ graph }: Switch, info: HookInfo): Gate[] {
  const place = gateOf(info);
  const modules = info.module_name === "" ? [...graph] : [graph.get(info.module_name)];
  return modules.flatMap((module) =>
    place.number < 0 ? graph.gates(module).filter(({ dir }) => dir === place.dir) : [oneGate(graph, module, place)],
  );
}

/** The reply's name is that of the last hook made. Where one cannot be made, those before it stay. */
function enable(sw: Switch, info: HookInfo): string {
  const cls = hookClass(info.class_name);
  let name = "";
  for (const gate of gates(sw, info)) name = sw.graph.hooks.add(gate, cls, info.hook_name, info.arg).name;
  return name;
}

/** One hook a gate: the one of that name, or the first of the class. None is no error. */
function disable(sw: Switch, info: HookInfo): void {
  const cls = hookClass(info.class_name);
  for (const gate of gates(sw, info)) {
    const chosen = gate.hooks.find((hook) =>
      info.hook_name === "" ? hook.class === cls : hook.name === info.hook_name,
    );
    if (chosen !== undefined) sw.graph.hooks.remove(gate, chosen);
  }
}

export const hookHandlers: Handlers = {
  ListGateHookClass: () => ({ names: hookClassNames }),

  GetGateHookClassInfo(_sw, { name }) {
    const { help, commands } = hookClass(name);
    return { name, help, cmds: Object.keys(commands), cmd_args: Object.values(commands) };
  },

  ConfigureGateHook(sw, { hook, enable: wanted }) {
    if (hook === null) throw invalid("Missing 'hook' field");
    return sw.workers.whilePaused(() => {
      if (wanted) return { name: enable(sw, hook) };
      disable(sw, hook);
      return {};
    });
  },

  ListGateHooks: ({ graph }) => ({
    hooks: [...graph].flatMap((module) =>
      graph.gates(module).flatMap(({ dir, number, hooks }) =>
        hooks.map((hook) => ({
          class_name: hook.class.name,
          hook_name: hook.name,
          module_name: module.name,
          ...(dir === "igate" ? { igate: number } : { ogate: number }),
          arg: hook.arg,
        })),
      ),
    ),
  }),

  GateHookCommand({ graph, workers }, { hook: info, cmd }) {
    if (info === null) throw invalid("Missing 'hook' field");
    const module = graph.get(info.module_name);
    const gate = oneGate(graph, module, gateOf(info));
    const hook = gate.hooks.find(({ name }) => name === info.hook_name);
    if (hook === undefined) throw missing(`${describe(gate)} has no hook named '${info.hook_name}'`);
    graph.hooks.command(hook, cmd, workers.isRunning(module));
    return {};
  },

  // There is no class of resume hooks; what is not there is easily switched off.
  ConfigureResumeHook(_sw, { hook_name, enable: wanted }) {
    if (wanted) throw missing(`No such resume hook '${hook_name}'`);
    return {};
  },
};
