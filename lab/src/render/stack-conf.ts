/** The stack's configuration file for one machine. */
import { type AllocatedMachine, type AllocatedRoute, stackRoutes } from "../model/deployment.js";
import { firstNic } from "../model/topology.js";

export interface StackConfOptions {
  /** File inside the machine that gets every frame. */
  readonly pcap?: string;
}

export function renderStackConf(machine: AllocatedMachine, options: StackConfOptions = {}): string {
  const { stack } = machine;
  const { address, queues } = firstNic(machine);
  const entries: [string, string | number][] = [
    ["io", "dpdk"],
    ...interfaceKeys(machine),
    ["address", address],
    ...stackRoutes(machine).map(routeKey),
    ["num_cores", stack.cores],
    ["distribution", stack.distribution],
    ["queues", queues],
    ...(stack.rebalance === undefined ? [] : [["rebalance", stack.rebalance ? "on" : "off"] as [string, string]]),
    ...Object.entries(stack.config).filter(([key]) => key !== "eal"),
    ...(options.pcap === undefined ? [] : [["pcap", options.pcap] as [string, string]]),
  ];
  return `${entries.map(([key, value]) => `${key} = ${value}`).join("\n")}\n`;
}

function routeKey({ to, via: [hop = ""] }: AllocatedRoute): [string, string] {
  return to === "0.0.0.0/0" ? ["gateway", hop] : ["route", `${to} via ${hop}`];
}

/** Room for a process that is not scheduled for a while; the template of the VMs has the same. */
const RING_SIZE = 1024;

function interfaceKeys(machine: AllocatedMachine): [string, string | number][] {
  const { mac, socket, queues } = firstNic(machine);
  const more = machine.stack.config.eal === undefined ? "" : ` ${machine.stack.config.eal}`;
  if (machine.kind === "vm") {
    return [["port", mac], ["hugepages", "on"], ...(more ? ([["eal", more.trim()]] as [string, string][]) : [])];
  }
  const { stack } = machine;
  const device = `net_virtio_user0,path=${socket},queues=${queues},queue_size=${RING_SIZE},mac=${mac}`;
  return [
    ["port", `vdev:${device}`],
    // A mask of fewer CPUs than cores is refused by the stack: then they share what the process may use.
    ...(new Set(machine.cores).size < stack.cores ? [] : [["core_mask", coreMask(machine.cores)] as [string, string]]),
    ["hugepages", "off"],
    ["eal", `--file-prefix ${machine.filePrefix} -m ${machine.hugepagesMib}${more}`],
  ];
}

function coreMask(cores: readonly number[]): string {
  return `0x${cores.reduce((mask, core) => mask | (1n << BigInt(core)), 0n).toString(16)}`;
}
