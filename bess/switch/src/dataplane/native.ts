// SPDX-License-Identifier: BSD-3-Clause
// The real data plane: libvportd_dp.so through koffi. Calls are synchronous; none waits for traffic.
import { fileURLToPath } from "node:url";
import koffi from "koffi";
import { DataPlaneError, Errno } from "../errors.js";
import type {
  DataPlane,
  GatePlane,
  HookCounters,
  HookPlane,
  ModulePlane,
  PoolInfo,
  PortInfo,
  PortPlane,
  WorkerPlane,
} from "./dataplane.js";

export interface NativeOptions {
  library: string;
  filePrefix: string;
  /** A folder of DPDK driver plug-ins besides DPDK's own. */
  pluginDir: string | null;
  memMb: number;
  buffers: number;
  hugepages: boolean;
  /** Where DPDK writes its messages. */
  logFd: number;
}

export const DEFAULT_LIBRARY = fileURLToPath(
  new URL("../../../../build/c/bess/switch/dataplane/libvportd_dp.so", import.meta.url),
);

const STRUCTS = {
  eal_config: {
    file_prefix: "const char *",
    plugin_dir: "const char *",
    mem_mb: "uint32_t",
    n_buffers: "uint32_t",
    hugepages: "int32_t",
    log_fd: "int32_t",
  },
  vdp_port_info: {
    mac: koffi.array("uint8_t", 6),
    mtu: "uint16_t",
    rxq_size: "uint16_t",
    txq_size: "uint16_t",
    speed_mbps: "uint32_t",
    link_up: "uint8_t",
    full_duplex: "uint8_t",
    autoneg: "uint8_t",
  },
  vdp_port_stats: {
    inc_packets: "uint64_t",
    inc_bytes: "uint64_t",
    inc_dropped: "uint64_t",
    out_packets: "uint64_t",
    out_bytes: "uint64_t",
    out_dropped: "uint64_t",
  },
  vdp_hook_config: {
    module: "int32_t",
    gate: "uint32_t",
    igate: "uint8_t",
    bits: "uint8_t",
    direction: "uint8_t",
    fifo: "const char *",
    interface: "const char *",
  },
  vdp_hook_counters: {
    batches: "uint64_t",
    packets: "uint64_t",
    bytes: "uint64_t",
    dropped: "uint64_t",
    alive: "uint8_t",
  },
  vdp_pool_info: {
    size: "uint32_t",
    cache_size: "uint32_t",
    element_size: "uint32_t",
    populated: "uint32_t",
    available: "uint32_t",
    in_use: "uint32_t",
  },
};
for (const [name, fields] of Object.entries(STRUCTS)) koffi.struct(name, fields);

type Native = (...args: unknown[]) => number;

class Library {
  readonly #functions = new Map<string, Native>();
  readonly #lib: ReturnType<typeof koffi.load>;
  readonly why: () => string;

  constructor(path: string) {
    this.#lib = koffi.load(path);
    this.why = this.#lib.func("const char *vdp_why()") as () => string;
  }

  /** Calls `int NAME(PARAMETERS)`; a negative result is an errno. */
  call(signature: string, ...args: unknown[]): number {
    const result = this.function(`int ${signature}`)(...args);
    if (result < 0) throw new DataPlaneError(-result);
    return result;
  }

  function(prototype: string): Native {
    let found = this.#functions.get(prototype);
    if (found === undefined) {
      found = this.#lib.func(prototype) as Native;
      this.#functions.set(prototype, found);
    }
    return found;
  }
}

/** Throws DataPlaneError, its message saying what to change. */
export function startNative(options: NativeOptions): DataPlane {
  const lib = new Library(options.library);
  const result = lib.function("int vdp_start(const eal_config *config)")({
    file_prefix: options.filePrefix,
    plugin_dir: options.pluginDir,
    mem_mb: options.memMb,
    n_buffers: options.buffers,
    hugepages: options.hugepages ? 1 : 0,
    log_fd: options.logFd,
  });
  if (result < 0) throw new DataPlaneError(-result, lib.why());
  return {
    ports: new NativePorts(lib),
    modules: new NativeModules(lib),
    gates: new NativeGates(lib),
    hooks: new NativeHooks(lib),
    workers: new NativeWorkers(lib),
    poolInfo: () => poolInfo(lib),
    stop: () => void lib.function("void vdp_stop()")(),
  };
}

function poolInfo(lib: Library): PoolInfo {
  const raw: Record<string, number> = {};
  lib.function("void vdp_pool_info(_Out_ vdp_pool_info *out)")(raw);
  const { size = 0, cache_size = 0, element_size = 0, populated = 0, available = 0, in_use = 0 } = raw;
  return { size, cacheSize: cache_size, elementSize: element_size, populated, available, inUse: in_use };
}

class NativePorts implements PortPlane {
  constructor(private readonly lib: Library) {}

  create: PortPlane["create"] = (device, { incQueues, outQueues, incSize, outSize }) => {
    const signature = "int vdp_port_create(const char *device, uint32_t rx, uint32_t tx, uint32_t rxs, uint32_t txs)";
    const result = this.lib.function(signature)(device, incQueues, outQueues, incSize, outSize);
    if (result < 0) throw new DataPlaneError(-result, this.lib.why());
    return result;
  };

  destroy(port: number): void {
    this.lib.call("vdp_port_destroy(int port)", port);
  }

  info(port: number): PortInfo {
    const raw: Record<string, number> & { mac?: Uint8Array } = {};
    this.lib.call("vdp_port_info(int port, _Out_ vdp_port_info *out)", port, raw);
    return {
      mac: [...(raw.mac ?? [])].map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
      mtu: raw.mtu ?? 0,
      incSize: raw.rxq_size ?? 0,
      outSize: raw.txq_size ?? 0,
      link: {
        up: raw.link_up !== 0,
        speedMbps: raw.speed_mbps ?? 0,
        fullDuplex: raw.full_duplex !== 0,
        autoneg: raw.autoneg !== 0,
      },
    };
  }

  stats: PortPlane["stats"] = (port) => {
    const raw: Record<string, number | bigint> = {};
    this.lib.call("vdp_port_stats(int port, _Out_ vdp_port_stats *out)", port, raw);
    const count = (dir: string) => ({
      packets: Number(raw[`${dir}_packets`]),
      bytes: Number(raw[`${dir}_bytes`]),
      dropped: Number(raw[`${dir}_dropped`]),
    });
    return { inc: count("inc"), out: count("out") };
  };

  setMac(port: number, mac: Uint8Array): void {
    this.lib.call("vdp_port_set_mac(int port, const uint8_t *mac)", port, mac);
  }

  setMtu(port: number, mtu: number): void {
    this.lib.call("vdp_port_set_mtu(int port, uint32_t mtu)", port, mtu);
  }

  setUp(port: number, up: boolean): void {
    this.lib.call("vdp_port_set_up(int port, int up)", port, up ? 1 : 0);
  }
}

class NativeModules implements ModulePlane {
  constructor(private readonly lib: Library) {}

  create: ModulePlane["create"] = (className, args) => {
    const signature = "vdp_module_create(const char *class_name, const int64_t *args, uint32_t n_args)";
    const id = this.lib.call(signature, className, words(args), args.length);
    return { id, tasks: this.lib.call("vdp_module_tasks(int module)", id) };
  };

  destroy(module: number): void {
    this.lib.call("vdp_module_destroy(int module)", module);
  }

  command: ModulePlane["command"] = (module, name, args) => {
    const signature =
      "vdp_module_command(int module, const char *name, const int64_t *args, uint32_t n_args, int64_t *result)";
    const result = new BigInt64Array(1);
    this.lib.call(signature, module, name, words(args), args.length, result);
    return Number(result[0]);
  };

  query: ModulePlane["query"] = (module, name, args, max) => {
    const signature =
      "vdp_module_query(int module, const char *name, const int64_t *args, uint32_t n_args, int64_t *out, uint32_t max)";
    const out = new BigInt64Array(max);
    const count = this.lib.call(signature, module, name, words(args), args.length, out, max);
    return Array.from(out.subarray(0, count), Number);
  };

  setShared(module: number, shared: boolean): void {
    this.lib.call("vdp_module_set_shared(int module, int shared)", module, shared ? 1 : 0);
  }

  deadends(module: number): number {
    const packets = new BigUint64Array(1);
    this.lib.call("vdp_module_deadends(int module, uint64_t *packets)", module, packets);
    return Number(packets[0]);
  }
}

class NativeGates implements GatePlane {
  constructor(private readonly lib: Library) {}

  connect(from: number, ogate: number, to: number, igate: number): void {
    this.lib.call("vdp_connect(int from, uint32_t ogate, int to, uint32_t igate)", from, ogate, to, igate);
  }

  disconnect(from: number, ogate: number): void {
    this.lib.call("vdp_disconnect(int from, uint32_t ogate)", from, ogate);
  }
}

/** enum capture_direction */
const DIRECTIONS = { inbound: 1, outbound: 2 };

class NativeHooks implements HookPlane {
  constructor(private readonly lib: Library) {}

  create: HookPlane["create"] = (className, { module, igate, gate }, options) => {
    const result = this.lib.function("int vdp_hook_create(const char *class_name, const vdp_hook_config *cfg)")(
      className,
      {
        module,
        gate,
        igate: igate ? 1 : 0,
        bits: options.bits ? 1 : 0,
        direction: options.direction === undefined ? 0 : DIRECTIONS[options.direction],
        fifo: options.fifo ?? "",
        interface: options.interface ?? "",
      },
    );
    if (result < 0) throw new DataPlaneError(-result, this.lib.why());
    return result;
  };

  destroy(hook: number): void {
    this.lib.call("vdp_hook_destroy(int hook)", hook);
  }

  counters(hook: number): HookCounters {
    const raw: Record<string, number | bigint> = {};
    this.lib.call("vdp_hook_counters(int hook, _Out_ vdp_hook_counters *out)", hook, raw);
    return {
      batches: Number(raw.batches),
      packets: Number(raw.packets),
      bytes: Number(raw.bytes),
      dropped: Number(raw.dropped),
      alive: raw.alive !== 0,
    };
  }

  reset(hook: number): void {
    this.lib.call("vdp_hook_reset(int hook)", hook);
  }
}

class NativeWorkers implements WorkerPlane {
  constructor(private readonly lib: Library) {}

  create(wid: number, core: number): void {
    this.lib.call("vdp_worker_create(int wid, int core)", wid, core);
  }

  destroy(wid: number): void {
    this.lib.call("vdp_worker_destroy(int wid)", wid);
  }

  pause(wid: number): void {
    this.lib.call("vdp_worker_pause(int wid)", wid);
  }

  resume(wid: number): void {
    this.lib.call("vdp_worker_resume(int wid)", wid);
  }

  attach(wid: number, module: number, task: number): void {
    this.lib.call("vdp_worker_attach(int wid, int module, uint32_t task)", wid, module, task);
  }

  detach(wid: number, module: number, task: number): void {
    this.lib.call("vdp_worker_detach(int wid, int module, uint32_t task)", wid, module, task);
  }

  silentDrops(wid: number): number {
    const packets = new BigUint64Array(1);
    this.lib.call("vdp_worker_silent_drops(int wid, uint64_t *packets)", wid, packets);
    return Number(packets[0]);
  }
}

/** A number that a double or 64 bits cannot hold exactly would arrive as another one. */
function words(values: number[]): BigInt64Array {
  if (!values.every(Number.isSafeInteger)) throw new DataPlaneError(Errno.EINVAL);
  return BigInt64Array.from(values, BigInt);
}
