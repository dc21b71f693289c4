// SPDX-License-Identifier: BSD-3-Clause
// The ports by name. The one driver is PMDPort: a DPDK device.
import { type PackedAny, type RequestRead, unpack } from "@vnflab/bess-proto";
import type { DataPlane } from "../dataplane/dataplane.js";
import { DataPlaneError, Errno, invalid, missing, RpcError } from "../errors.js";
import { parseMac } from "./mac.js";
import { chooseName } from "./names.js";

export const DRIVER = "PMDPort";
const MAX_QUEUES = 128;
const MAX_QUEUE_SIZE = 4096;
const MTU_MIN = 68;
/** DPDK knows devices that write files or take the host's interfaces; these serve guests and tests. */
const DEVICE = /^(eth|net)_(vhost|null|ring)/;
/** A frame must fit one buffer. */
const MTU_MAX = 2048;

export interface Port {
  readonly name: string;
  readonly id: number;
  readonly mac: string;
  readonly incQueues: number;
  readonly outQueues: number;
  readonly incSize: number;
  readonly outSize: number;
  readonly arg: PackedAny | null;
  adminUp: boolean;
}

export class Ports {
  readonly #ports = new Map<string, Port>();

  constructor(private readonly plane: DataPlane["ports"]) {}

  [Symbol.iterator](): IterableIterator<Port> {
    return this.#ports.values();
  }

  find(name: string): Port | undefined {
    return this.#ports.get(name);
  }

  /** For the RPCs that name a port. */
  get(name: string): Port {
    if (name === "") throw invalid("Port name is not given");
    const port = this.#ports.get(name);
    if (port === undefined) throw missing(`No port '${name}' found`);
    return port;
  }

  create(request: RequestRead<"CreatePort">): Port {
    if (request.driver !== DRIVER) throw missing(`No port driver '${request.driver}' found`);
    const name = chooseName(request.name, "pmd_port", this.#ports);
    if (this.#ports.has(name)) throw new RpcError(Errno.EEXIST, `Port '${name}' already exists`);
    const incQueues = queues(request.num_inc_q);
    const outQueues = queues(request.num_out_q);
    const sizes = { incSize: queueSize(request.size_inc_q), outSize: queueSize(request.size_out_q) };
    const id = this.#attach(deviceOf(request.arg), { incQueues, outQueues, ...sizes });
    const { mac, incSize, outSize } = this.plane.info(id);
    const port: Port = { name, id, mac, incQueues, outQueues, incSize, outSize, arg: request.arg, adminUp: true };
    this.#ports.set(name, port);
    return port;
  }

  #attach(device: string, spec: Parameters<DataPlane["ports"]["create"]>[1]): number {
    const text = `Cannot attach vdev ${device}`;
    if (!DEVICE.test(device)) throw new DataPlaneError(Errno.ENODEV, text);
    try {
      return this.plane.create(device, spec);
    } catch (error) {
      if (error instanceof DataPlaneError && error.code === Errno.ENODEV) {
        throw new DataPlaneError(error.code, text);
      }
      throw error;
    }
  }

  destroy(name: string): void {
    this.plane.destroy(this.get(name).id);
    this.#ports.delete(name);
  }

  reset(): void {
    for (const name of [...this.#ports.keys()]) this.destroy(name);
  }

  info(name: string) {
    return this.plane.info(this.get(name).id);
  }

  stats(name: string) {
    return this.plane.stats(this.get(name).id);
  }

  /** What is absent or unchanged in `conf` stays as it is. */
  configure(name: string, conf: { mac_addr: string; mtu: number; admin_up: boolean }): void {
    const port = this.get(name);
    const { mac, mtu } = this.plane.info(port.id);
    if (conf.mtu !== 0 && conf.mtu !== mtu) {
      if (conf.mtu < MTU_MIN || conf.mtu > MTU_MAX) throw invalid(`mtu should be >= ${MTU_MIN} and <= ${MTU_MAX}`);
      named("rte_eth_dev_set_mtu() failed", () => this.plane.setMtu(port.id, conf.mtu));
    }
    if (conf.mac_addr !== "" && conf.mac_addr.toLowerCase() !== mac) {
      const parsed = parseMac(conf.mac_addr);
      if (parsed === undefined) throw invalid(`${conf.mac_addr} is not a proper mac address`);
      named("rte_eth_dev_default_mac_addr_set() failed", () => this.plane.setMac(port.id, parsed.bytes));
    }
    if (conf.admin_up !== port.adminUp) {
      const step = `rte_eth_dev_set_link_${conf.admin_up ? "up" : "down"}() failed`;
      named(step, () => this.plane.setUp(port.id, conf.admin_up));
      port.adminUp = conf.admin_up;
    }
  }
}

/** Runs a step of the data plane and gives its refusal the step's name. */
function named(step: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (error instanceof DataPlaneError) throw new DataPlaneError(error.code, step);
    throw error;
  }
}

function queues(asked: number): number {
  if (asked > MAX_QUEUES) throw invalid(`${asked} queues are too many, at most ${MAX_QUEUES} are allowed`);
  return asked === 0 ? 1 : asked;
}

function queueSize(asked: number): number {
  if (asked > MAX_QUEUE_SIZE) throw invalid(`A queue of ${asked} is too large, at most ${MAX_QUEUE_SIZE} is allowed`);
  return asked;
}

function deviceOf(any: PackedAny | null): string {
  const arg = unpack("PMDPortArg", any);
  if (arg.port === "port_id") throw new RpcError(Errno.ENODEV, `Port id ${arg.port_id} is not available`);
  if (arg.port === "pci") throw new RpcError(Errno.ENODEV, `Cannot attach PCI device ${arg.pci}: started without PCI`);
  const device = arg.vdev ?? "";
  if (device === "") throw invalid("No port specified");
  if (!/^[!-~]{1,512}$/.test(device)) throw invalid("Invalid vdev: printable characters without spaces are allowed");
  const socket = /,iface=([^,]*)/.exec(device)?.[1];
  if (socket !== undefined && socket.length > 107) throw invalid("Invalid vdev: the socket path exceeds 107 bytes");
  return device;
}
