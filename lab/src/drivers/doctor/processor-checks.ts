/** Processor and memory: what is there, what is set aside for somebody, what makes figures vary. */
import { readHostFacts } from "../../host/facts.js";
import type { Host } from "../../host/host.js";
import { byRoot, type DoctorCheck, grep, readLine } from "./doctor-check.js";

/** Two virtual machines and the switch of the example. */
const WANTED_MIB = 2560;
const LEAST_MIB = 1024;
/** Below this many cores nobody can give any away. */
const CORES_TO_ISOLATE = 4;
const CPUS = "/sys/devices/system/cpu";

/** What DPDK, the guests and hugepages of 1 GB gain from. */
const USEFUL_FLAGS = { avx2: "AVX2", gfni: "GFNI", pdpe1gb: "1 GB pages" } as const;

const cpu: DoctorCheck = {
  name: "cpu",
  async look(host) {
    const { cores } = await readHostFacts(host);
    const model = (await grep(host, "/proc/cpuinfo", /^model name\s*:\s*(.+)$/m)) ?? "unknown processor";
    const flags = new Set((await grep(host, "/proc/cpuinfo", /^flags\s*:\s*(.+)$/m))?.split(" "));
    if (!flags.has("sse4_2")) {
      const hint = "Use an x86-64 processor of 2009 or later.";
      return { status: "failure", message: `${model}: no SSE4.2, which DPDK needs`, hint };
    }
    const has = (wanted: boolean) =>
      Object.entries(USEFUL_FLAGS).flatMap(([flag, name]) => (flags.has(flag) === wanted ? [name] : []));
    const without = has(false).length === 0 ? "" : `, without ${has(false).join(", ")}`;
    const message = `${model}, ${cores.length} usable, with ${["SSE4.2", ...has(true)].join(", ")}${without}`;
    if (cores.length >= 2) return { status: "ok", message };
    return { status: "warning", message: `${message}: everything shares one`, hint: "Allow more (taskset, cpuset)." };
  },
};

const memory: DoctorCheck = {
  name: "memory",
  async look(host) {
    const { availableMemoryMib } = await readHostFacts(host);
    const message = `${availableMemoryMib} MiB available`;
    if (availableMemoryMib >= WANTED_MIB) return { status: "ok", message };
    const hint = `End something; two virtual machines and the switch want ${WANTED_MIB} MiB.`;
    return { status: availableMemoryMib < LEAST_MIB ? "failure" : "warning", message, hint };
  },
};

const topology: DoctorCheck = {
  name: "topology",
  async look(host) {
    const nodes = await readLine(host, "/sys/devices/system/node/online");
    const smt = await readLine(host, `${CPUS}/smt/active`);
    const many = nodes !== undefined && nodes !== "0";
    const threads = smt === "1" ? "two threads share a core (SMT)" : "each CPU is a core of its own";
    const message = `${many ? `NUMA nodes ${nodes}` : "one NUMA node"}; ${threads}`;
    if (smt !== "1") return { status: "ok", message };
    const hint = "for figures that vary little: echo off | sudo tee /sys/devices/system/cpu/smt/control";
    return { status: "ok", message: `${message}; ${hint}` };
  },
};

const isolation: DoctorCheck = {
  name: "isolation",
  async look(host) {
    const { cores } = await readHostFacts(host);
    const isolated = await readLine(host, `${CPUS}/isolated`);
    const tickless = (await readLine(host, `${CPUS}/nohz_full`))?.replace("(null)", "");
    if (isolated) {
      const ticks = tickless ? `, without ticks ${tickless}` : "; nohz_full would spare them the ticks too";
      return { status: "ok", message: `isolated CPUs ${isolated}${ticks}` };
    }
    if (cores.length < CORES_TO_ISOLATE) return { status: "ok", message: "none isolated: there are too few CPUs" };
    const rest = `${cores[2]}-${cores.at(-1)}`;
    const hint = `For benchmarks: isolcpus=${rest} nohz_full=${rest} in GRUB_CMDLINE_LINUX, sudo update-grub, reboot`;
    return { status: "warning", message: "no CPU is isolated from the scheduler: figures vary more", hint };
  },
};

const governor: DoctorCheck = {
  name: "governor",
  async look(host) {
    const file = `${CPUS}/cpu0/cpufreq/scaling_governor`;
    const now = await readLine(host, file);
    if (now === undefined) return { status: "ok", message: "none: the clock of the CPUs is not this system's to set" };
    if (now === "performance") return { status: "ok", message: now };
    const script = `for g in ${CPUS}/cpu*/cpufreq/scaling_governor; do echo performance > $g; done`;
    const message = `${now}: the clock goes up and down, and figures with it`;
    return { status: "warning", message, ...byRoot(["sh", "-c", script]) };
  },
};

export const processorChecks: readonly DoctorCheck[] = [cpu, memory, topology, isolation, governor];

/** CPUs and memory nodes of a host, for other checks. */
export async function memoryNodes(host: Host): Promise<string[]> {
  const names = await host.files.list("/sys/devices/system/node");
  return names.filter((name) => /^node\d+$/.test(name));
}
