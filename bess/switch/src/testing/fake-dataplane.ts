// SPDX-License-Identifier: BSD-3-Clause
// A data plane without packets: it keeps the rules of the real one (who owns a queue, what a table holds) and checks
// that the control plane keeps its own: nothing that a running worker uses may change under it.
import type { DataPlane, PortInfo, QueueSpec } from "../dataplane/dataplane.js";
import { DataPlaneError, Errno } from "../errors.js";

interface FakePort {
  device: string;
  spec: QueueSpec;
  owners: Map<string, number>;
  mtu: number;
}

interface FakeModule {
  className: string;
  tasks: number;
  args: number[];
  table: Map<number, number>;
  maxEntries: number;
  shared: boolean;
}

const MAX_DEVICES = 32;

export class FakeDataPlane implements DataPlane {
  readonly #ports = new Map<number, FakePort>();
  readonly #modules = new Map<number, FakeModule>();
  readonly #links = new Map<string, number>();
  readonly #workers = new Map<number, { running: boolean; tasks: Set<string> }>();
  readonly #hooks = new Map<number, { className: string; module: number; fifo?: string }>();
  /** Pipes that somebody reads. */
  readonly readers = new Set<string>();
  #nextModule = 0;
  #nextHook = 0;
  stopped = false;

  #port(id: number): FakePort {
    const port = this.#ports.get(id);
    if (port === undefined) throw new DataPlaneError(Errno.ENODEV);
    return port;
  }

  #module(id: number): FakeModule {
    const module = this.#modules.get(id);
    if (module === undefined) throw new DataPlaneError(Errno.ENOENT);
    return module;
  }

  #hook(id: number) {
    const hook = this.#hooks.get(id);
    if (hook === undefined) throw new DataPlaneError(Errno.ENOENT);
    return hook;
  }

  #worker(wid: number) {
    const worker = this.#workers.get(wid);
    if (worker === undefined) throw new DataPlaneError(Errno.ENOENT);
    return worker;
  }

  /** The modules that running workers reach. */
  #inUse(): Set<number> {
    const used = new Set<number>();
    for (const { running, tasks } of this.#workers.values()) {
      if (running) for (const task of tasks) used.add(Number(task.split(":")[0]));
    }
    for (const module of used) {
      for (const [gate, to] of this.#links) if (gate.startsWith(`${module}:`)) used.add(to);
    }
    return used;
  }

  /** A programming error of the control plane, not a refusal. */
  #mustStandStill(...modules: number[]): void {
    const used = this.#inUse();
    const bad = modules.find((module) => used.has(module));
    if (bad !== undefined) throw new TypeError(`module ${bad} changes while a worker runs it`);
  }

  #acquire(port: FakePort, dir: "inc" | "out", qids: number[], owner: number): void {
    const limit = dir === "inc" ? port.spec.incQueues : port.spec.outQueues;
    for (const qid of qids) {
      if (qid >= limit) throw new DataPlaneError(Errno.EINVAL);
      if (port.owners.has(`${dir}${qid}`)) throw new DataPlaneError(Errno.EBUSY);
    }
    for (const qid of qids) port.owners.set(`${dir}${qid}`, owner);
  }

  /** Without frames nothing is learned: static entries alone. */
  #switchCommand(id: number, name: string, [first = 0, port = 0]: number[]): number {
    const { table, args } = this.#module(id);
    if (name === "delete" && !table.delete(first)) throw new DataPlaneError(Errno.ENOENT);
    if (name !== "add") return 0;
    if (port >= (args[0] ?? 0)) throw new DataPlaneError(Errno.EINVAL);
    if (table.has(first)) throw new DataPlaneError(Errno.EEXIST);
    table.set(first, port);
    return 0;
  }

  readonly ports: DataPlane["ports"] = {
    create: (device, spec) => {
      const name = device.split(",")[0] ?? "";
      const existing = [...this.#ports.values()].some((port) => port.device.split(",")[0] === name);
      if (existing) throw new DataPlaneError(Errno.EBUSY, "rte_eth_dev_configure() failed");
      if (!/^(net_null|net_ring|(net|eth)_vhost)/.test(name) || this.#ports.size >= MAX_DEVICES) {
        throw new DataPlaneError(Errno.ENODEV, "Cannot attach vdev");
      }
      const queues = Number(/,queues=(\d+)/.exec(device)?.[1] ?? (name.includes("vhost") ? 1 : 128));
      if (spec.incQueues > queues || spec.outQueues > queues) {
        throw new DataPlaneError(Errno.EINVAL, "rte_eth_dev_configure() failed");
      }
      const id = Array.from({ length: MAX_DEVICES }, (_, n) => n).find((n) => !this.#ports.has(n)) ?? 0;
      this.#ports.set(id, { device, spec, owners: new Map(), mtu: 1500 });
      return id;
    },
    destroy: (id) => {
      if (this.#port(id).owners.size > 0) throw new DataPlaneError(Errno.EBUSY);
      this.#ports.delete(id);
    },
    info: (id): PortInfo => {
      const { spec, mtu } = this.#port(id);
      const mac = `56:48:4f:53:54:${id.toString(16).padStart(2, "0")}`;
      const link = { up: false, speedMbps: 10000, fullDuplex: true, autoneg: false };
      return { mac, mtu, incSize: spec.incSize || 1024, outSize: spec.outSize || 1024, link };
    },
    stats: (id) => {
      this.#port(id);
      return { inc: { packets: 0, bytes: 0, dropped: 0 }, out: { packets: 0, bytes: 0, dropped: 0 } };
    },
    setMac: (id) => void this.#port(id),
    setMtu: (id, mtu) => {
      const port = this.#port(id);
      if (port.device.includes("vhost")) throw new DataPlaneError(Errno.EOPNOTSUPP);
      port.mtu = mtu;
    },
    setUp: (id) => void this.#port(id),
  };

  readonly modules: DataPlane["modules"] = {
    create: (className, args) => {
      const id = this.#nextModule++;
      const [first = 0, second = 0] = args;
      const all = (n: number) => Array.from({ length: n }, (_, qid) => qid);
      const needsPort = /^(Queue|Port)(Inc|Out)$/.test(className);
      const port = needsPort ? this.#port(first) : undefined;
      if (port !== undefined) {
        const dir = className.endsWith("Inc") ? "inc" : "out";
        const count = dir === "inc" ? port.spec.incQueues : port.spec.outQueues;
        this.#acquire(port, dir, className.startsWith("Queue") ? [second] : all(count), id);
      }
      const tasks = { QueueInc: 1, Source: 1, Impair: 1, PortInc: port?.spec.incQueues ?? 0 }[className] ?? 0;
      this.#modules.set(id, { className, tasks, args, table: new Map(), maxEntries: first, shared: false });
      return { id, tasks };
    },
    destroy: (id) => {
      this.#module(id);
      this.#mustStandStill(id);
      if ([...this.#hooks.values()].some(({ module }) => module === id)) throw new TypeError(`module ${id} has hooks`);
      for (const { owners } of this.#ports.values()) {
        for (const [queue, owner] of owners) if (owner === id) owners.delete(queue);
      }
      this.#modules.delete(id);
    },
    command: (id, name, args) => {
      const [mac = 0, gate = 0] = args;
      const { className, table, maxEntries } = this.#module(id);
      if (className === "Impair") this.#module(id).args = args;
      if (className === "L2Switch") return this.#switchCommand(id, name, args);
      if (name === "set_gates" || name === "set_mode") this.#mustStandStill(id);
      if (className !== "L2Forward" || name === "set_default_gate") return 0;
      if (name === "lookup") {
        const found = table.get(mac);
        if (found === undefined) throw new DataPlaneError(Errno.ENOENT);
        return found;
      }
      this.#mustStandStill(id);
      if (name === "delete") {
        if (!table.delete(mac)) throw new DataPlaneError(Errno.ENOENT);
        return 0;
      }
      if (table.has(mac)) throw new DataPlaneError(Errno.EEXIST);
      if (table.size >= maxEntries) throw new DataPlaneError(Errno.ENOMEM);
      table.set(mac, gate);
      return 0;
    },
    query: (id, name, [first = 0]) => {
      const { className, args, table } = this.#module(id);
      if (className === "Impair") return name === "config" ? args : Array.from({ length: 11 }, () => 0);
      if (name === "counters") return [...Array.from({ length: 11 }, () => 0), table.size];
      return [...table].slice(first).flatMap(([mac, port]) => [mac, port, 1, 0]);
    },
    setShared: (id, shared) => {
      this.#module(id).shared = shared;
    },
    deadends: (id) => {
      this.#module(id);
      return 0;
    },
  };

  readonly gates: DataPlane["gates"] = {
    connect: (from, ogate, to) => {
      this.#module(from);
      this.#module(to);
      this.#mustStandStill(from, to);
      this.#links.set(`${from}:${ogate}`, to);
    },
    disconnect: (from, ogate) => {
      this.#mustStandStill(from);
      this.#links.delete(`${from}:${ogate}`);
    },
  };

  readonly hooks: DataPlane["hooks"] = {
    create: (className, { module, igate, gate }, { fifo }) => {
      this.#mustStandStill(module);
      if (!igate && !this.#links.has(`${module}:${gate}`)) throw new TypeError(`gate ${module}:${gate} has no link`);
      if (fifo !== undefined && !this.readers.has(fifo)) throw new DataPlaneError(Errno.ENXIO, "Failed to open FIFO");
      this.#hooks.set(this.#nextHook, { className, module, ...(fifo === undefined ? {} : { fifo }) });
      return this.#nextHook++;
    },
    destroy: (id) => {
      this.#mustStandStill(this.#hook(id).module);
      this.#hooks.delete(id);
    },
    counters: (id) => {
      const { fifo } = this.#hook(id);
      const alive = fifo === undefined || this.readers.has(fifo);
      return { batches: 0, packets: 0, bytes: 0, dropped: 0, alive };
    },
    reset: (id) => this.#mustStandStill(this.#hook(id).module),
  };

  readonly workers: DataPlane["workers"] = {
    create: (wid, core) => {
      if (core < 0 || core > 63) throw new DataPlaneError(Errno.EINVAL);
      this.#workers.set(wid, { running: false, tasks: new Set() });
    },
    destroy: (wid) => {
      if (this.#worker(wid).tasks.size > 0) throw new TypeError(`worker ${wid} ends with tasks`);
      this.#workers.delete(wid);
    },
    pause: (wid) => {
      this.#worker(wid).running = false;
    },
    resume: (wid) => {
      this.#worker(wid).running = true;
    },
    attach: (wid, module, task) => {
      const worker = this.#worker(wid);
      if (task >= this.#module(module).tasks) throw new TypeError(`module ${module} has no task ${task}`);
      if (worker.running) throw new TypeError(`worker ${wid} runs while a task is attached`);
      worker.tasks.add(`${module}:${task}`);
    },
    detach: (wid, module, task) => {
      const worker = this.#worker(wid);
      if (worker.running) throw new TypeError(`worker ${wid} runs while a task is detached`);
      worker.tasks.delete(`${module}:${task}`);
    },
    silentDrops: (wid) => {
      this.#worker(wid);
      return 0;
    },
  };

  /** The names of the shared modules' classes. */
  sharedClasses(): string[] {
    return [...this.#modules.values()].filter(({ shared }) => shared).map(({ className }) => className);
  }

  poolInfo() {
    return { size: 16384, cacheSize: 256, elementSize: 2304, populated: 16384, available: 16384, inUse: 0 };
  }

  stop(): void {
    this.stopped = true;
  }
}
