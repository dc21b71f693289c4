// SPDX-License-Identifier: BSD-3-Clause
// Everything that the RPCs work on.
import type { DataPlane } from "./dataplane/dataplane.js";
import { describe } from "./state/gates.js";
import { Graph } from "./state/graph.js";
import { Ports } from "./state/ports.js";
import { TrafficClasses } from "./state/tcs.js";
import { Workers } from "./state/workers.js";

export interface SwitchOptions {
  version: string;
  /** The core of the worker that is made when none was asked for. */
  defaultCore: number;
  /** KillBess was called. */
  onKill(): void;
}

export class Switch {
  readonly ports: Ports;
  readonly graph: Graph;
  readonly workers: Workers;
  readonly tcs: TrafficClasses;

  constructor(
    readonly plane: DataPlane,
    readonly options: SwitchOptions,
  ) {
    this.ports = new Ports(plane.ports);
    this.graph = new Graph(plane, { findPort: (name) => this.ports.find(name) });
    this.workers = new Workers(plane.workers, this.graph, options.defaultCore);
    this.tcs = new TrafficClasses(this.workers, this.graph);
  }

  /** Removes hooks whose reader has gone; their names, for the log. */
  removeDeadHooks(): string[] {
    const gates = [...this.graph].flatMap((module) => this.graph.gates(module));
    const { hooks } = this.graph;
    const dead = gates.flatMap((gate) => gate.hooks.filter((h) => !hooks.isAlive(h)).map((hook) => ({ gate, hook })));
    if (dead.length > 0)
      this.workers.whilePaused(() => dead.forEach(({ gate, hook }) => void hooks.remove(gate, hook)));
    return dead.map(({ gate, hook }) => `${describe(gate)}: ${hook.name}`);
  }

  resetWorkers(): void {
    for (const { wid } of this.workers) this.tcs.dropWorker(wid);
    this.workers.reset();
  }

  resetModules(): void {
    this.workers.whilePaused(() => {
      this.workers.detach(() => true);
      for (const module of [...this.graph]) this.graph.destroy(module);
    });
  }

  resetAll(): void {
    this.workers.pauseAll();
    this.resetModules();
    this.ports.reset();
    this.tcs.reset();
    this.resetWorkers();
  }
}
