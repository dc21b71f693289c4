/** What this user may do, and how much of it. */
import { disguiseFor } from "../libvirt/not-root.js";
import { byRoot, type DoctorCheck, grep } from "./doctor-check.js";

/** A lab of a hundred machines has that many sockets, files and threads open. */
const FILES = 4096;
const PROCESSES = 4096;
/** Bytes that DPDK locks for a device without hugepages, and libvirt for a guest whose memory is locked. */
const LOCKED = 64 << 20;
const LIMITS = "/proc/self/limits";

const kvmRights: DoctorCheck = {
  name: "kvm-rights",
  async look(host) {
    if ((await host.files.kind("/dev/kvm")) === undefined) {
      return { status: "ok", message: "there is no /dev/kvm to have rights to" };
    }
    if ((await host.exec.run(["test", "-r", "/dev/kvm", "-a", "-w", "/dev/kvm"])).exitCode === 0) {
      return { status: "ok", message: "/dev/kvm can be opened" };
    }
    const hint = 'sudo adduser "$USER" kvm, then log in again';
    return { status: "warning", message: "/dev/kvm is not yours to open: machines run under TCG, slower", hint };
  },
};

/** Root's private libvirtd runs in one, or else as another user in a mount namespace; others need neither. */
const namespaces: DoctorCheck = {
  name: "namespaces",
  async look(host) {
    const { exitCode, stderr } = await host.exec.run(["unshare", "--user", "--map-current-user", "true"]);
    if (exitCode === 0) return { status: "ok", message: "user namespaces can be made" };
    const message = `no user namespaces: ${stderr.trim()}`;
    if (host.uid !== 0) return { status: "ok", message: `${message}; only labs of root would need them` };
    const instead = await disguiseFor(host).catch(() => undefined);
    if (instead) return { status: "ok", message: `${message}; root's libvirtd runs as another user instead` };
    const fix = byRoot(["sysctl", "-w", "user.max_user_namespaces=15000"]);
    return { status: "warning", message: `${message}; root's virtual machines need them`, ...fix };
  },
};

const tun: DoctorCheck = {
  name: "tun",
  async look(host) {
    if ((await host.files.kind("/dev/net/tun")) !== undefined) {
      return { status: "ok", message: "/dev/net/tun is there" };
    }
    const message = "no /dev/net/tun: the stack cannot talk to this host's kernel (io = tap)";
    return { status: "warning", message, ...byRoot(["modprobe", "tun"]) };
  },
};

const limits: DoctorCheck = {
  name: "limits",
  async look(host) {
    const seen = await Promise.all(
      (
        [
          ["open files", FILES, "nofile", /^Max open files\s+(\S+)/m],
          ["processes and threads", PROCESSES, "nproc", /^Max processes\s+(\S+)/m],
          ["bytes of locked memory", LOCKED, "memlock", /^Max locked memory\s+(\S+)/m],
        ] as const
      ).map(async ([what, wanted, name, line]) => ({ what, wanted, name, value: await grep(host, LIMITS, line) })),
    );
    const threads = await grep(host, "/proc/sys/kernel/threads-max", /(\d+)/);
    const all = seen.map(({ what, value }) => `${value ?? "?"} ${what}`).join(", ");
    const message = `${all}; the system: ${threads ?? "?"} threads`;
    const isLow = (value: string | undefined, wanted: number) => Number(value) < wanted;
    const low = seen.filter(({ value, wanted }) => isLow(value, wanted));
    // Root is not held to the limit of locked memory.
    const bad = low.filter(({ name }) => name !== "memlock" || host.uid !== 0);
    if (bad.length === 0) return { status: "ok", message };
    const lines = bad.map(({ name, wanted }) => `* - ${name} ${name === "memlock" ? wanted >> 10 : wanted}`);
    const hint = `Write into /etc/security/limits.d/vnflab.conf: ${lines.join("; ")}; then log in again`;
    return { status: "warning", message: `${message}: low for large labs`, hint };
  },
};

export const rightsChecks: readonly DoctorCheck[] = [kvmRights, namespaces, tun, limits];
