/** What the host must have whatever the machines are: processor, memory, hugepages, DPDK, tap. */
import { readHostFacts } from "../host/facts.js";
import type { DoctorCheck } from "./doctor-check.js";

/** Two virtual machines and the switch of the example. */
const WANTED_MIB = 2560;
const LEAST_MIB = 1024;
const DPDK_OLDEST = 22;

const cpu: DoctorCheck = {
  name: "cpu",
  async look(host) {
    const info = (await host.files.readText("/proc/cpuinfo")) ?? "";
    const { cores } = await readHostFacts(host);
    const model = /^model name\s*:\s*(.+)$/m.exec(info)?.[1] ?? "unknown processor";
    const flags = new Set(/^flags\s*:\s*(.+)$/m.exec(info)?.[1]?.split(" "));
    if (!flags.has("sse4_2")) {
      const hint = "Use an x86-64 processor of 2009 or later.";
      return { status: "failure", message: `${model}: no SSE4.2, which DPDK needs`, hint };
    }
    const message = `${model}, ${cores.length} usable`;
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

const hugepages: DoctorCheck = {
  name: "hugepages",
  async look(host) {
    const info = (await host.files.readText("/proc/meminfo")) ?? "";
    const free = Number(/^HugePages_Free:\s*(\d+)/m.exec(info)?.[1] ?? 0);
    const mounts = (await host.files.readText("/proc/mounts")) ?? "";
    const mount = /^\S+ (\S+) hugetlbfs /m.exec(mounts)?.[1];
    if (free > 0 && mount !== undefined) return { status: "ok", message: `${free} free, mounted on ${mount}` };
    const message = free === 0 ? "none free: labs work, figures are lower" : `${free} free, but no hugetlbfs mount`;
    const make = "sudo sysctl vm.nr_hugepages=512";
    const place = "sudo mkdir -p /dev/hugepages && sudo mount -t hugetlbfs none /dev/hugepages";
    const hint = [...(free === 0 ? [make] : []), ...(mount === undefined ? [place] : [])].join(" && ");
    return { status: "warning", message, hint };
  },
};

const dpdk: DoctorCheck = {
  name: "dpdk",
  async look(host) {
    const hint = "make setup";
    if ((await host.exec.which("pkg-config")) === undefined) {
      return { status: "failure", message: "pkg-config is not installed", hint };
    }
    const { exitCode, stdout } = await host.exec.run(["pkg-config", "--modversion", "libdpdk"]);
    if (exitCode !== 0) return { status: "failure", message: "libdpdk is not installed", hint };
    const version = stdout.trim();
    if (Number.parseInt(version, 10) >= DPDK_OLDEST) return { status: "ok", message: `DPDK ${version}` };
    return { status: "failure", message: `DPDK ${version} is older than ${DPDK_OLDEST}.11`, hint };
  },
};

const tun: DoctorCheck = {
  name: "tun",
  async look(host) {
    if ((await host.files.kind("/dev/net/tun")) !== undefined)
      return { status: "ok", message: "/dev/net/tun is there" };
    const message = "no /dev/net/tun: the stack cannot talk to this host's kernel (io = tap)";
    return { status: "warning", message, hint: "sudo modprobe tun" };
  },
};

export const hostChecks: readonly DoctorCheck[] = [cpu, memory, hugepages, dpdk, tun];
