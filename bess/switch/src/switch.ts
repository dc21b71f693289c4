// SPDX-License-Identifier: BSD-3-Clause
// Everything that the RPCs work on.
import type { DataPlane } from "./dataplane/dataplane.js";
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
