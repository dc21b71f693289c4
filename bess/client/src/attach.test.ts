// SPDX-License-Identifier: BSD-3-Clause
// Over a daemon in memory that somebody else uses too.
import { expect, it } from "vitest";
import { attach, type BessClient, detach, freeWorker, markedNames, markPipeline, type Pipeline } from "./index.js";

const pipeline: Pipeline = {
  workers: [{ wid: 0, core: 1 }],
  ports: [
    {
      name: "a",
      driver: "PMDPort",
      queues: 1,
      arg: { type: "PMDPortArg", value: { vdev: "eth_vhost_a,iface=/run/a,queues=1" } },
    },
  ],
  modules: [
    { name: "in_a_0", mclass: "QueueInc", arg: { type: "QueueIncArg", value: { port: "a", qid: 0 } } },
    { name: "fib", mclass: "L2Forward", arg: { type: "L2ForwardArg", value: {} } },
  ],
  connections: [{ m1: "in_a_0", ogate: 0, m2: "fib", igate: 0 }],
  commands: [
    { name: "fib", cmd: "set_default_gate", arg: { type: "L2ForwardCommandSetDefaultGateArg", value: { gate: 0 } } },
  ],
};

/** Somebody's worker 0 with a task, port and module. */
function daemon() {
  const world = { ports: ["theirs"], modules: ["in_theirs"], workers: new Map([[0, ["in_theirs"]]]) };
  const calls: string[] = [];
  const log = (text: string) => void calls.push(text);
  const client = {
    listPorts: async () => ({ ports: world.ports.map((name) => ({ name })) }),
    listModules: async () => ({ modules: world.modules.map((name) => ({ name })) }),
    listWorkers: async () => ({ workers_status: [...world.workers.keys()].map((wid) => ({ wid })) }),
    listTcs: async ({ wid }: { wid: number }) => ({
      classes_status: (world.workers.get(wid) ?? []).map(() => ({ class: { policy: "leaf" } })),
    }),
    async addWorker({ wid }: { wid: number }) {
      log(`add worker ${wid}`);
      world.workers.set(wid, []);
    },
    async build({ ports, modules, workers }: Pipeline) {
      expect(workers).toEqual([]);
      world.ports.push(...ports.map(({ name }) => name));
      world.modules.push(...modules.map(({ name }) => name));
    },
    async updateTcParent({ class: tc }: { class: { leaf_module_name: string; wid: number } }) {
      log(`task of ${tc.leaf_module_name} to ${tc.wid}`);
      world.workers.get(tc.wid)?.push(tc.leaf_module_name);
    },
    resumeWorker: async ({ wid }: { wid: number }) => log(`resume ${wid}`),
    pauseWorker: async ({ wid }: { wid: number }) => log(`pause ${wid}`),
    async destroyModule({ name }: { name: string }) {
      world.modules.splice(world.modules.indexOf(name), 1);
      for (const tasks of world.workers.values()) if (tasks.includes(name)) tasks.splice(tasks.indexOf(name), 1);
    },
    destroyPort: async ({ name }: { name: string }) => void world.ports.splice(world.ports.indexOf(name), 1),
    async destroyWorker({ wid }: { wid: number }) {
      log(`destroy worker ${wid}`);
      world.workers.delete(wid);
    },
  } as unknown as BessClient;
  return { client, world, calls };
}

it("marks every name, in arguments and devices too", () => {
  const marked = markPipeline("lab-1a2b", pipeline);
  expect(marked.ports[0]).toMatchObject({
    name: "lab-1a2b.a",
    arg: { value: { vdev: "eth_vhost_lab-1a2b.a,iface=/run/a,queues=1" } },
  });
  expect(marked.modules.map(({ name }) => name)).toEqual(["lab-1a2b.in_a_0", "lab-1a2b.fib"]);
  expect(marked.modules[0]?.arg.value).toEqual({ port: "lab-1a2b.a", qid: 0 });
  expect(marked.connections).toEqual([{ m1: "lab-1a2b.in_a_0", ogate: 0, m2: "lab-1a2b.fib", igate: 0 }]);
  expect(marked.commands[0]?.name).toBe("lab-1a2b.fib");
});

it("runs on a worker of its own, pauses and resumes no other, and leaves as it came", async () => {
  const { client, world, calls } = daemon();
  const before = structuredClone(world);
  const wid = await freeWorker(client);
  expect(wid).toBe(1);
  await attach(client, markPipeline("m", pipeline), wid, 1);
  expect(calls).toEqual(["add worker 1", "task of m.in_a_0 to 1", "resume 1"]);
  expect(await markedNames(client, "m")).toEqual({ ports: ["m.a"], modules: ["m.in_a_0", "m.fib"] });
  await detach(client, "m", wid);
  expect(calls.slice(3)).toEqual(["pause 1", "destroy worker 1"]);
  expect(world).toEqual(before);
});

it("leaves a worker alone that runs somebody's task, or that is gone", async () => {
  const { client, calls } = daemon();
  await detach(client, "m", 0);
  await detach(client, "m", 7);
  await detach(client, "m");
  expect(calls).toEqual([]);
});
