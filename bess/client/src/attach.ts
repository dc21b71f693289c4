// SPDX-License-Identifier: BSD-3-Clause
// A pipeline beside others in a daemon that is not ours: names carry a mark, by which all of it is found and removed
// again. Nothing is paused but what the daemon itself pauses for a moment, no foreign worker is resumed or given tasks.
import type { BessClient } from "./client.js";
import type { Argument, Pipeline } from "./pipeline.js";

/** What a name becomes. */
function markedName(mark: string, name: string): string {
  return `${mark}.${name}`;
}

/** The same pipeline under marked names: ports, modules and the devices behind the ports. */
export function markPipeline(mark: string, pipeline: Pipeline): Pipeline {
  const named = (name: string) => markedName(mark, name);
  const { ports, modules, connections, commands, workers } = pipeline;
  return {
    workers,
    ports: ports.map((port) => ({ ...port, name: named(port.name), arg: markArgument(named, port.arg) })),
    modules: modules.map((module) => ({
      ...module,
      name: named(module.name),
      arg: markArgument(named, module.arg),
    })),
    connections: connections.map((link) => ({ ...link, m1: named(link.m1), m2: named(link.m2) })),
    commands: commands.map((command) => ({ ...command, name: named(command.name) })),
  };
}

/** Arguments name ports (`port`) and devices (`vdev`, whose name ends at the first comma). */
function markArgument(named: (name: string) => string, arg: Argument): Argument {
  const value = { ...(arg.value as { port?: string; vdev?: string }) };
  if (value.port !== undefined) value.port = named(value.port);
  if (value.vdev !== undefined) {
    value.vdev = value.vdev.replace(/^((?:eth|net)_[a-z]+_)([^,]+)/, (_all, driver, name) => driver + named(name));
  }
  return { ...arg, value } as Argument;
}

/** Everything in the daemon that carries the mark. */
export async function markedNames(client: BessClient, mark: string): Promise<{ ports: string[]; modules: string[] }> {
  const carries = ({ name }: { name: string }) => name.startsWith(markedName(mark, ""));
  const ports = (await client.listPorts()).ports.filter(carries).map(({ name }) => name);
  const modules = (await client.listModules()).modules.filter(carries).map(({ name }) => name);
  return { ports, modules };
}

/**
 * Makes the marked pipeline on a worker of its own on this core, and starts that worker. Resolves with its number. A
 * failure leaves what was made; detach() removes it.
 */
export async function attach(client: BessClient, pipeline: Pipeline, wid: number, core: number): Promise<void> {
  await client.addWorker({ wid, core });
  await client.build({ ...pipeline, workers: [] });
  for (const { name, mclass } of pipeline.modules) {
    if (mclass !== "QueueInc") continue; // the one class with tasks that a pipeline of ours has
    await client.updateTcParent({ class: { leaf_module_name: name, leaf_module_taskid: 0, wid } });
  }
  await client.resumeWorker({ wid });
}

/** The lowest worker number that nobody has. */
export async function freeWorker(client: BessClient): Promise<number> {
  const taken = new Set((await client.listWorkers()).workers_status.map(({ wid }) => Number(wid)));
  let wid = 0;
  while (taken.has(wid)) wid++;
  return wid;
}

/**
 * Removes everything with the mark, and the worker when no task of somebody else runs on it. What is gone already is no
 * error.
 */
export async function detach(client: BessClient, mark: string, wid?: number): Promise<void> {
  const { ports, modules } = await markedNames(client, mark);
  for (const name of modules) await client.destroyModule({ name });
  for (const name of ports) await client.destroyPort({ name });
  if (wid === undefined || !(await isIdle(client, wid))) return;
  await client.pauseWorker({ wid });
  await client.destroyWorker({ wid });
}

/** Whether there is such a worker, and nothing for it to do. */
async function isIdle(client: BessClient, wid: number): Promise<boolean> {
  const { workers_status } = await client.listWorkers();
  if (!workers_status.some((worker) => Number(worker.wid) === wid)) return false;
  const { classes_status } = await client.listTcs({ wid });
  return !classes_status.some(({ class: tc }) => tc?.policy === "leaf");
}
