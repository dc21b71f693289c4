/** What the plan must know of the host. */
import type { Host } from "./host.js";

export async function readHostFacts(host: Host): Promise<{ cores: number[]; availableMemoryMib: number }> {
  const status = (await host.files.readText("/proc/self/status")) ?? "";
  const memory = (await host.files.readText("/proc/meminfo")) ?? "";
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? "0";
  const kib = Number(/^MemAvailable:\s*(\d+) kB/m.exec(memory)?.[1] ?? 0);
  return { cores: parseCpuList(list), availableMemoryMib: Math.floor(kib / 1024) };
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
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}
