/** What the figures were measured on. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { attempt } from "./process.js";

export interface HostFacts {
  cpu: string;
  cores: number;
  /** Of the counter that cycles are counted in. */
  tscHz: number | null;
  memoryGb: number;
  kernel: string;
  dpdk: string;
  hugepages: boolean;
  governor: string;
  hypervisor: boolean;
  mitigations: Record<string, string>;
  date: string;
  commit: string;
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}

const VULNERABILITIES = "/sys/devices/system/cpu/vulnerabilities";

/** Only those that cost something: "Not affected" is none. */
function mitigations(): Record<string, string> {
  const names = existsSync(VULNERABILITIES) ? readdirSync(VULNERABILITIES) : [];
  const all = names.map((name) => [name, read(join(VULNERABILITIES, name)) ?? ""] as const);
  return Object.fromEntries(all.filter(([, state]) => state !== "Not affected"));
}

/** BogoMIPS is twice the rate of the time stamp counter where that is constant. */
export function tscHz(cpuinfo: string): number | null {
  const bogomips = /^bogomips\s*:\s*([\d.]+)/im.exec(cpuinfo)?.[1];
  const constant = /^flags\s*:.*\bconstant_tsc\b/m.test(cpuinfo);
  return bogomips !== undefined && constant ? Math.round((Number(bogomips) / 2) * 1e6) : null;
}

export function hostFacts(hugepages: boolean): HostFacts {
  const line = (argv: string[]) => attempt(argv).stdout.trim();
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    tscHz: tscHz(read("/proc/cpuinfo") ?? ""),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    dpdk: line(["pkg-config", "--modversion", "libdpdk"]) || "unknown",
    hugepages,
    governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") ?? "none",
    hypervisor: /^flags\s*:.*\bhypervisor\b/m.test(read("/proc/cpuinfo") ?? ""),
    mitigations: mitigations(),
    date: new Date().toISOString(),
    commit: line(["git", "rev-parse", "--short", "HEAD"]),
  };
}
