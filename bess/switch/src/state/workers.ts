// SPDX-License-Identifier: BSD-3-Clause
// Workers, and which of them runs which task. A worker runs its tasks round-robin; other policies are not offered.
import type { WorkerPlane } from "../dataplane/dataplane.js";
import { DataPlaneError, Errno, invalid, missing, RpcError } from "../errors.js";
import type { Graph, Module } from "./graph.js";

const MAX_WORKERS = 64;

export interface Task {
  readonly module: Module;
  readonly id: number;
  /** The traffic class that it hangs under, "" for the worker's own root. */
  readonly parent: string;
}

export interface Worker {
  readonly wid: number;
  readonly core: number;
  running: boolean;
  tasks: Task[];
}

export class Workers {
  readonly #workers = new Map<number, Worker>();
  #next = 0;

  constructor(
    private readonly plane: WorkerPlane,
    private readonly graph: Graph,
    private readonly defaultCore: number,
  ) {}

  [Symbol.iterator](): IterableIterator<Worker> {
    return this.#workers.values();
  }

  get(wid: number): Worker {
    const worker = this.#workers.get(wid);
    if (worker === undefined) throw missing(`worker:${wid} does not exist`);
    return worker;
  }

  add(wid: number, core: number, scheduler: string): Worker {
    if (!Number.isInteger(wid) || wid < 0 || wid >= MAX_WORKERS) throw invalid(`Invalid worker id ${wid}`);
    if (scheduler !== "" && scheduler !== "experimental") throw invalid(`Invalid scheduler ${scheduler}`);
    if (this.#workers.has(wid)) throw new RpcError(Errno.EEXIST, `worker:${wid} is already active`);
    try {
      this.plane.create(wid, Math.max(-1, Math.min(core, 2 ** 31 - 1)));
    } catch (error) {
      if (error instanceof DataPlaneError && error.code === Errno.EINVAL) throw invalid(`Invalid core ${core}`);
      throw error;
    }
    const worker: Worker = { wid, core, running: false, tasks: [] };
    this.#workers.set(wid, worker);
    return worker;
  }

  destroy(wid: number): void {
    const worker = this.get(wid);
    if (worker.tasks.length > 0) throw new RpcError(Errno.EBUSY, `worker:${wid} has tasks attached`);
    this.plane.destroy(wid);
    this.#workers.delete(wid);
  }

  /** All workers end; their tasks become orphans. */
  reset(): void {
    for (const worker of [...this]) {
      this.pause(worker);
      this.detach((_task, holder) => holder === worker);
      this.destroy(worker.wid);
    }
  }

  silentDrops(worker: Worker): number {
    return this.plane.silentDrops(worker.wid);
  }

  // ---- running ----

  get running(): Worker[] {
    return [...this].filter((worker) => worker.running);
  }

  pause(worker: Worker): void {
    if (worker.running) this.plane.pause(worker.wid);
    worker.running = false;
  }

  pauseAll(): void {
    for (const worker of this) this.pause(worker);
  }

  resume(worker: Worker): void {
    this.#markShared();
    if (!worker.running) this.plane.resume(worker.wid);
    worker.running = true;
  }

  /** Tasks without a worker get one, but only when nothing runs yet. */
  resumeAll(): void {
    if (this.running.length === 0) this.#attachOrphans();
    for (const worker of this) this.resume(worker);
  }

  /** Runs `change` while no worker runs, and lets those go on that ran before. */
  whilePaused<T>(change: () => T): T {
    const ran = this.running;
    this.pauseAll();
    try {
      return change();
    } finally {
      const left = ran.filter((worker) => this.#workers.get(worker.wid) === worker);
      if (left.length > 0) this.#attachOrphans();
      for (const worker of left) this.resume(worker);
    }
  }

  /** Whether a running worker's packets come to the module. */
  isRunning(module: Module): boolean {
    return this.running.some((worker) => this.#reached(worker).has(module));
  }

  #reached(worker: Worker): Set<Module> {
    const reached = new Set<Module>();
    for (const { module } of worker.tasks) {
      for (const found of this.graph.reachedFrom(module)) reached.add(found);
    }
    return reached;
  }

  /** Before the first worker runs: whatever adds a user later goes through a pause of everything. */
  #markShared(): void {
    if (this.running.length > 0) return;
    const users = new Map<Module, number>();
    for (const worker of this) {
      for (const module of this.#reached(worker)) users.set(module, (users.get(module) ?? 0) + 1);
    }
    for (const module of this.graph) this.graph.setShared(module, (users.get(module) ?? 0) > 1);
  }

  // ---- tasks ----

  /** Moves the task to the worker; wid 0 is made when there is no worker at all. */
  attach(module: Module, id: number, wid: number, parent: string): void {
    if (id >= module.tasks) throw missing(`Task ${module.name}:${id} does not exist`);
    const worker = this.#workers.size === 0 && wid === 0 ? this.add(0, this.defaultCore, "") : this.get(wid);
    this.detach((task) => task.module === module && task.id === id);
    this.plane.attach(wid, module.id, id);
    worker.tasks.push({ module, id, parent });
  }

  /** Takes the chosen tasks off their workers. */
  detach(chosen: (task: Task, holder: Worker) => boolean): void {
    for (const worker of this) {
      for (const task of worker.tasks.filter((task) => chosen(task, worker))) {
        this.plane.detach(worker.wid, task.module.id, task.id);
        worker.tasks.splice(worker.tasks.indexOf(task), 1);
      }
    }
  }

  #attachOrphans(): void {
    const attached = new Set([...this].flatMap(({ tasks }) => tasks.map(({ module, id }) => `${module.name}:${id}`)));
    for (const module of this.graph) {
      for (let id = 0; id < module.tasks; id++) {
        if (!attached.has(`${module.name}:${id}`)) this.attach(module, id, this.#nextWid(), "");
      }
    }
  }

  /** Round-robin over the workers there are. */
  #nextWid(): number {
    const wids = [...this.#workers.keys()].sort((a, b) => a - b);
    return wids.length === 0 ? 0 : (wids[this.#next++ % wids.length] ?? 0);
  }
}
