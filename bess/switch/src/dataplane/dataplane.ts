// SPDX-License-Identifier: BSD-3-Clause
// What the control plane needs of a data plane: numbered ports, modules and workers. Every method throws
// DataPlaneError when refused. Links, tasks and module state are changed only while no worker runs them.

export interface QueueSpec {
  incQueues: number;
  outQueues: number;
  /** 0 means the default. */
  incSize: number;
  outSize: number;
}

export interface PortInfo {
  mac: string;
  mtu: number;
  incSize: number;
  outSize: number;
  link: { up: boolean; speedMbps: number; fullDuplex: boolean; autoneg: boolean };
}

export interface TrafficCount {
  packets: number;
  bytes: number;
  dropped: number;
}

export interface PortPlane {
  /** `device` is a DPDK device string; the result numbers the port. */
  create(device: string, queues: QueueSpec): number;
  /** EBUSY while a module owns one of its queues. */
  destroy(port: number): void;
  info(port: number): PortInfo;
  stats(port: number): { inc: TrafficCount; out: TrafficCount };
  setMac(port: number, mac: Uint8Array): void;
  setMtu(port: number, mtu: number): void;
  setUp(port: number, up: boolean): void;
}

export interface ModulePlane {
  /** What the numbers of `args` mean is said in the class's C file. */
  create(className: string, args: number[]): { id: number; tasks: number };
  destroy(module: number): void;
  command(module: number, name: string, args: number[]): number;
  /** Up to `max` numbers; what they mean is said in the class's C file. */
  query(module: number, name: string, args: number[], max: number): number[];
  /** Several workers run it, so that its output needs a lock. */
  setShared(module: number, shared: boolean): void;
  deadends(module: number): number;
}

export interface GatePlane {
  connect(from: number, ogate: number, to: number, igate: number): void;
  disconnect(from: number, ogate: number): void;
}

/** What a hook is told; which of it matters depends on its class. */
export interface HookOptions {
  /** Track: count bytes too. */
  bits?: boolean;
  /** TcpDump, PcapNg: the named pipe, which somebody must be reading. */
  fifo?: string;
  /** PcapNg: what the gate is called in the capture, and which way packets go there. */
  interface?: string;
  direction?: "inbound" | "outbound";
}

export interface HookCounters {
  batches: number;
  packets: number;
  bytes: number;
  /** Packets that passed the gate but not the reader of the pipe. */
  dropped: number;
  /** False when the reader of its pipe has gone. */
  alive: boolean;
}

export interface HookPlane {
  /** The result numbers the hook. ENXIO when nobody reads the pipe. */
  create(className: string, place: { module: number; igate: boolean; gate: number }, options: HookOptions): number;
  /** Before its gate goes. */
  destroy(hook: number): void;
  counters(hook: number): HookCounters;
  reset(hook: number): void;
}

export interface WorkerPlane {
  /** Made paused. EINVAL when the process may not run on the core. */
  create(wid: number, core: number): void;
  destroy(wid: number): void;
  pause(wid: number): void;
  resume(wid: number): void;
  attach(wid: number, module: number, task: number): void;
  detach(wid: number, module: number, task: number): void;
  silentDrops(wid: number): number;
}

export interface PoolInfo {
  size: number;
  cacheSize: number;
  elementSize: number;
  populated: number;
  available: number;
  inUse: number;
}

export interface DataPlane {
  readonly ports: PortPlane;
  readonly modules: ModulePlane;
  readonly gates: GatePlane;
  readonly hooks: HookPlane;
  readonly workers: WorkerPlane;
  poolInfo(): PoolInfo;
  /** Takes everything down, sockets included. */
  stop(): void;
}
