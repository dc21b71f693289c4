/** Programs and libraries, their versions, and versions that do not go together. */
import type { Host } from "../../host/host.js";
import { chooseAccelerator } from "../libvirt/accelerator-probe.js";
import { EMULATOR } from "../libvirt/emulator.js";
import { byRoot, type DoctorCheck } from "./doctor-check.js";
import { knownTrouble, type Versions } from "./versions.js";

const SETUP = "make setup";

const dpdk: DoctorCheck = {
  name: "dpdk",
  async look(host) {
    const version = await dpdkVersion(host);
    if (version === undefined) return { status: "failure", message: "libdpdk is not installed", hint: SETUP };
    return { status: "ok", message: `DPDK ${version}` };
  },
};

const node: DoctorCheck = {
  name: "node",
  async look(host) {
    return {
      status: "ok",
      message: `Node.js ${(await firstLine(host, host.node, "--version")) ?? "of unknown version"}`,
    };
  },
};

/** What each is says its own check; here is what they are together. */
const versions: DoctorCheck = {
  name: "versions",
  async look(host) {
    const found = await readVersions(host);
    const troubles = knownTrouble(found);
    const names = Object.entries(found).map(([name, version]) => `${name} ${version}`);
    if (troubles.length === 0) return { status: "ok", message: `nothing is known against ${names.join(", ")}` };
    const status = troubles.some((trouble) => trouble.status === "failure") ? "failure" : "warning";
    const message = `${names.join(", ")}: ${troubles.map((trouble) => trouble.message).join("; ")}`;
    return { status, message, hint: [...new Set(troubles.map(({ hint }) => hint))].join("; ") };
  },
};

/** Only for labs with `host: docker`. */
const docker: DoctorCheck = {
  name: "docker",
  async look(host) {
    if ((await host.exec.which("docker")) === undefined) {
      const message = "not installed: `host: docker` cannot be used";
      return { status: "warning", message, hint: "sudo apt-get install docker.io" };
    }
    const { exitCode, stdout, stderr } = await host.exec.run(["docker", "version", "--format", "{{.Server.Version}}"], {
      timeoutMs: 10_000,
    });
    if (exitCode === 0) return { status: "ok", message: `Docker Engine ${stdout.trim()}` };
    const words = stderr.trim().split("\n").at(-1) ?? "";
    const message = `no engine answers, so \`host: docker\` cannot be used: ${words}`;
    if (/permission denied/i.test(words)) {
      return { status: "warning", message, hint: 'sudo adduser "$USER" docker, then log in again' };
    }
    return { status: "warning", message, ...byRoot(["systemctl", "start", "docker"]) };
  },
};

async function readVersions(host: Host): Promise<Versions> {
  const emulator = await host.exec.which(EMULATOR);
  const qemu = emulator && /version (\d+\.\d+\S*)/.exec((await firstLine(host, emulator, "--version")) ?? "")?.[1];
  const daemon = (await host.exec.which("libvirtd")) ?? "/usr/sbin/libvirtd";
  const libvirt = /(\d+\.\d+\.\d+)/.exec((await firstLine(host, daemon, "--version")) ?? "")?.[1];
  const dpdkFound = await dpdkVersion(host);
  const nodeFound = /(\d+\.\d+\.\d+)/.exec((await firstLine(host, host.node, "--version")) ?? "")?.[1];
  return {
    ...(qemu ? { qemu, accelerator: (await chooseAccelerator(host, "auto")).accelerator } : {}),
    ...(libvirt ? { libvirt } : {}),
    ...(dpdkFound ? { dpdk: dpdkFound } : {}),
    ...(nodeFound ? { node: nodeFound } : {}),
  };
}

async function dpdkVersion(host: Host): Promise<string | undefined> {
  return firstLine(host, "pkg-config", "--modversion", "libdpdk");
}

/** Undefined when the program is not there or fails. */
async function firstLine(host: Host, ...argv: readonly string[]): Promise<string | undefined> {
  const ran = await host.exec.run(argv).catch(() => undefined);
  return ran?.exitCode === 0 ? ran.stdout.split("\n")[0]?.trim() : undefined;
}

export const programChecks: readonly DoctorCheck[] = [node, dpdk, versions, docker];
