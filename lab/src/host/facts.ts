/** What the plan must know of the host. */
import type { HostFacts, HugepageFacts } from "../model/host-facts.js";
import type { Host } from "./host.js";

const CPUS = "/sys/devices/system/cpu";
const NODES = "/sys/devices/system/node";

export async function readHostFacts(host: Host): Promise<HostFacts> {
  const status = (await host.files.readText("/proc/self/status")) ?? "";
  const memory = (await host.files.readText("/proc/meminfo")) ?? "";
  const cores = parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "0");
  const kib = Number(/^MemAvailable:\s*(\d+) kB/m.exec(memory)?.[1] ?? 0);
  const nodes = await readNodes(host);
  return {
    cores,
    availableMemoryMib: Math.floor(kib / 1024),
    siblings: await readSiblings(host, cores),
    nodes,
    hugepages: (await Promise.all(nodes.map(({ node }) => readHugepages(host, node)))).flat(),
  };
}

/** Each group of threads once. */
async function readSiblings(host: Host, cores: readonly number[]): Promise<number[][]> {
  const read = (core: number) => host.files.readText(`${CPUS}/cpu${core}/topology/thread_siblings_list`);
  const lists = (await Promise.all(cores.map(read))).map((text) => text?.trim() ?? "");
  return [...new Set(lists)].filter((list) => list !== "").map(parseCpuList);
}

async function readNodes(host: Host): Promise<{ node: number; cores: number[] }[]> {
  const names = (await host.files.list(NODES)).filter((name) => /^node\d+$/.test(name));
  const nodes = names.map((name) => Number(name.slice("node".length))).sort((a, b) => a - b);
  const read = async (node: number) => (await host.files.readText(`${NODES}/node${node}/cpulist`))?.trim() ?? "";
  return Promise.all(nodes.map(async (node) => ({ node, cores: parseCpuList(await read(node)) })));
}

async function readHugepages(host: Host, node: number): Promise<HugepageFacts[]> {
  const folder = `${NODES}/node${node}/hugepages`;
  const sizes = (await host.files.list(folder)).flatMap((name) => /^hugepages-(\d+)kB$/.exec(name)?.[1] ?? []);
  const free = async (size: string) =>
    Number(await host.files.readText(`${folder}/hugepages-${size}kB/free_hugepages`));
  return Promise.all(sizes.map(async (size) => ({ node, sizeKib: Number(size), free: (await free(size)) || 0 })));
}

/** For reports. */
export async function readHostDescription(host: Host) {
  const read = async (file: string, line: RegExp) => line.exec((await host.files.readText(file)) ?? "")?.[1];
  const { cores } = await readHostFacts(host);
  return {
    cpu: (await read("/proc/cpuinfo", /^model name\s*:\s*(.+)$/m)) ?? "unknown",
    cores: cores.length,
    memoryGb: Math.round(Number((await read("/proc/meminfo", /^MemTotal:\s*(\d+) kB/m)) ?? 0) / 2 ** 20),
    kernel: (await read("/proc/sys/kernel/osrelease", /^(.+)$/m)) ?? "unknown",
    hypervisor: (await read("/proc/cpuinfo", /^flags\s*:.*\b(hypervisor)\b/m)) !== undefined,
  };
}

/**
 * The rate of the time stamp counter, where it can be read: a virtual host's CPU has no frequency but that one. On
 * others the file tells the momentary clock of the core, which is no use.
 */
export async function readTscKhz(host: Host): Promise<number | undefined> {
  const cpuinfo = (await host.files.readText("/proc/cpuinfo")) ?? "";
  const scaled = (await host.files.kind("/sys/devices/system/cpu/cpu0/cpufreq")) !== undefined;
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.split(" ") ?? [];
  const mhz = /^cpu MHz\s*:\s*([\d.]+)$/m.exec(cpuinfo)?.[1];
  const steady = flags.includes("hypervisor") && flags.includes("constant_tsc") && !scaled;
  return steady && mhz !== undefined ? Math.round(Number(mhz) * 1000) : undefined;
}

/** `0-2,5` -> 0, 1, 2, 5. */
function parseCpuList(list: string): number[] {
  if (list === "") return [];
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}
