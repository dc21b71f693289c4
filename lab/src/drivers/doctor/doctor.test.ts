import { describe, expect, it } from "vitest";
import { type FakeHost, fakeHost } from "../../host/fake-host.js";
import { EXIT_CODE } from "../libvirt/probe-code.js";
import type { DoctorCheck } from "./doctor-check.js";
import { folderChecks } from "./folder-checks.js";
import { hugepages } from "./hugepage-check.js";
import { processorChecks } from "./processor-checks.js";
import { programChecks } from "./program-checks.js";
import { rightsChecks } from "./rights-checks.js";
import { knownTrouble } from "./versions.js";

/** Those that need no libvirt; the others are tested beside their driver. */
const CHECKS: readonly DoctorCheck[] = [
  ...processorChecks,
  hugepages,
  ...programChecks,
  ...rightsChecks,
  ...folderChecks,
];

interface Fixture {
  readonly uid: number;
  /** The probe's program runs to its end under KVM. */
  readonly kvmWorks?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  /** Programs: what they print, or an exit code and what they complain. */
  readonly programs: Readonly<Record<string, string | readonly [number, string]>>;
}

async function host({ uid, env, files, programs, kvmWorks }: Fixture): Promise<FakeHost> {
  const made = { ...fakeHost(env), uid };
  for (const [path, text] of Object.entries(files)) await made.files.write(path, text);
  for (const [name, answer] of Object.entries(programs)) {
    made.exec.install(name, ({ argv, print }) => {
      if (argv.includes("-bios")) return kvmWorks ? EXIT_CODE : 1;
      if (typeof answer === "string") print("stdout", answer);
      else print("stderr", answer[1]);
      return typeof answer === "string" ? 0 : answer[0];
    });
  }
  return made;
}

/** `status name: message [hint]`, one a check. */
async function report(fixture: Fixture): Promise<string> {
  const on = await host(fixture);
  const lines = await Promise.all(
    CHECKS.map(async ({ name, look }) => {
      const { status, message, hint, fix } = await look(on);
      const how = hint === undefined ? "" : `\n    ${fix ? "fix" : "hint"}: ${hint}`;
      return `${status} ${name}: ${message}${how}`;
    }),
  );
  return `${lines.join("\n")}\n`;
}

const CPUS = "/sys/devices/system/cpu";
const NODES = "/sys/devices/system/node";
const limits = (files: number | string, locked: number | string) =>
  `Max processes             63000                63000                processes\n` +
  `Max open files            ${files}                 1048576              files\n` +
  `Max locked memory         ${locked}              unlimited            bytes\n`;
const cpuinfo = (model: string, flags: string) => `model name\t: ${model}\nflags\t\t: fpu ${flags}\n`;
const status = (list: string) => `Cpus_allowed_list:\t${list}\n`;
const memory = (mib: number) => `MemAvailable:   ${mib * 1024} kB\n`;
const df = (kib: number) => `Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 1 1 ${kib} 1% /\n`;
const programs = {
  node: "v20.11.1\n",
  "pkg-config": "22.11.5\n",
  "qemu-system-x86_64": "QEMU emulator version 10.0.2 (Debian)\n",
  libvirtd: "libvirtd (libvirt) 11.3.0\n",
  docker: "27.1.1\n",
  unshare: "",
  test: "",
  df: df(50_000_000),
};

const laptop: Fixture = {
  uid: 1000,
  kvmWorks: true,
  files: {
    "/dev/kvm": "",
    "/proc/cpuinfo": cpuinfo("Laptop CPU", "sse4_2 avx2 pdpe1gb"),
    "/proc/self/status": status("0-7"),
    "/proc/meminfo": memory(12_000),
    "/proc/mounts": "proc /proc proc rw 0 0\n",
    "/proc/self/limits": limits(1024, 8_388_608),
    "/proc/sys/kernel/threads-max": "126000\n",
    "/dev/net/tun": "",
    [`${CPUS}/smt/active`]: "1\n",
    [`${CPUS}/isolated`]: "\n",
    [`${CPUS}/cpu0/cpufreq/scaling_governor`]: "powersave\n",
    [`${NODES}/online`]: "0\n",
    [`${NODES}/node0/hugepages/hugepages-2048kB/nr_hugepages`]: "0\n",
    [`${NODES}/node0/hugepages/hugepages-2048kB/free_hugepages`]: "0\n",
  },
  programs,
};

const pool = (node: number, size: string, total: number, free: number) => ({
  [`${NODES}/node${node}/hugepages/hugepages-${size}/nr_hugepages`]: `${total}\n`,
  [`${NODES}/node${node}/hugepages/hugepages-${size}/free_hugepages`]: `${free}\n`,
});

const server: Fixture = {
  uid: 0,
  kvmWorks: true,
  env: { HOME: "/root", VNFLAB_RUN: "/run/vnflab" },
  files: {
    ...laptop.files,
    "/proc/cpuinfo": cpuinfo("Server CPU", "sse4_2 avx2 gfni pdpe1gb"),
    "/proc/self/status": status("0-63"),
    "/proc/meminfo": memory(300_000),
    "/proc/mounts": "nodev /dev/hugepages hugetlbfs rw,pagesize=1G 0 0\n",
    "/proc/self/limits": limits(1_048_576, "unlimited"),
    [`${CPUS}/smt/active`]: "0\n",
    [`${CPUS}/isolated`]: "2-31,34-63\n",
    [`${CPUS}/nohz_full`]: "2-31,34-63\n",
    [`${CPUS}/cpu0/cpufreq/scaling_governor`]: "performance\n",
    [`${NODES}/online`]: "0-1\n",
    ...pool(0, "2048kB", 0, 0),
    ...pool(0, "1048576kB", 16, 12),
    ...pool(1, "1048576kB", 16, 16),
  },
  programs: { ...programs, docker: [1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"] },
};

const container: Fixture = {
  uid: 0,
  files: {
    "/proc/cpuinfo": cpuinfo("Cloud CPU", "sse4_2 avx2"),
    "/proc/self/status": status("3"),
    "/proc/meminfo": memory(900),
    "/proc/mounts": "overlay / overlay rw 0 0\n",
    "/proc/self/limits": limits(20_000, 65_536),
  },
  programs: {
    node: "v18.19.0\n",
    "pkg-config": [1, "No package 'libdpdk' found\n"],
    "qemu-system-x86_64": "QEMU emulator version 7.2.17 (Debian 1:7.2)\n",
    libvirtd: "libvirtd (libvirt) 9.0.0\n",
    unshare: [1, "unshare: unshare failed: Operation not permitted\n"],
    test: [1, ""],
    df: df(100_000),
  },
};

const student: Fixture = {
  uid: 2000,
  env: { HOME: "/home/student", VNFLAB_RUN: `/home/student/${"deep/".repeat(8)}run` },
  files: {
    ...laptop.files,
    "/proc/mounts": "none /mnt/huge hugetlbfs rw 0 0\n",
    [`${CPUS}/smt/active`]: "0\n",
    ...pool(0, "2048kB", 512, 512),
  },
  programs: {
    ...programs,
    libvirtd: "libvirtd (libvirt) 9.0.0\n",
    docker: [1, "permission denied while trying to connect to the Docker daemon socket\n"],
    unshare: [1, "unshare: write failed /proc/self/uid_map: Operation not permitted\n"],
    test: [1, ""],
    df: df(1_000_000),
  },
};

describe("doctor", () => {
  it.each([
    ["a laptop with KVM", laptop],
    ["a server of two nodes with hugepages", server],
    ["a container without /dev/kvm", container],
    ["a user without rights", student],
  ])("on %s", async (name, fixture) => {
    await expect(report(fixture)).resolves.toMatchFileSnapshot(`golden/${name.replaceAll(/[ /]+/g, "-")}.txt`);
  });

  it("says nothing about versions that it does not know, and of each bad pair once", () => {
    expect(knownTrouble({})).toEqual([]);
    expect(knownTrouble({ qemu: "10.0.2", libvirt: "11.3.0", dpdk: "22.11.0", node: "20.10.0" })).toEqual([]);
    expect(knownTrouble({ qemu: "7.2.1", accelerator: "tcg" })).toMatchObject([{ status: "failure" }]);
    expect(knownTrouble({ qemu: "7.2.1", accelerator: "kvm" })).toMatchObject([{ status: "warning" }]);
    expect(knownTrouble({ qemu: "8.2.0", libvirt: "9.0.0" })).toEqual([]);
    expect(knownTrouble({ qemu: "10.0.2", libvirt: "9.0.0" })).toMatchObject([{ status: "warning" }]);
    expect(knownTrouble({ dpdk: "21.11.3", node: "20.9.0" })).toMatchObject([
      { message: "DPDK is older than 22.11" },
      { message: "Node.js is older than 20.10" },
    ]);
  });

  it("a processor without SSE4.2 is a failure", async () => {
    const files = { ...laptop.files, "/proc/cpuinfo": cpuinfo("Old CPU", "sse2") };
    expect(await report({ ...laptop, files })).toContain("failure cpu: Old CPU: no SSE4.2");
  });
});
