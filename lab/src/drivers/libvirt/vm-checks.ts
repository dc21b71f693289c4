/** What virtual machines need: KVM or patience, a QEMU, a libvirt that really starts. */
import { join } from "node:path";
import type { Host } from "../../host/host.js";
import { resolveLayout } from "../../host/layout.js";
import { asVnflabError } from "../../model/error.js";
import type { DoctorCheck } from "../doctor/doctor-check.js";
import { chooseAccelerator } from "./accelerator-probe.js";
import { EMULATOR } from "./emulator.js";
import { PrivateDaemon } from "./private-daemon.js";
import { ThreadLibvirt } from "./thread-libvirt.js";

const CONNECT_MS = 120_000;

const qemu: DoctorCheck = {
  name: "qemu",
  async look(host) {
    const emulator = await host.exec.which(EMULATOR);
    const hint = "make setup";
    if (emulator === undefined) return { status: "failure", message: `${EMULATOR} is not installed`, hint };
    const { stdout, stderr, exitCode } = await host.exec.run([emulator, "--version"]);
    const version = /version (\d+\.\d+\S*)/.exec(stdout)?.[1];
    if (exitCode !== 0 || !version) return { status: "failure", message: `${emulator}: ${stderr.trim()}`, hint };
    return { status: "ok", message: `QEMU ${version} (${emulator})` };
  },
};

const kvm: DoctorCheck = {
  name: "kvm",
  async look(host) {
    const { accelerator, reason } = await chooseAccelerator(host, "auto");
    if (accelerator === "kvm") return { status: "ok", message: reason };
    return { status: "warning", message: `${reason}. Machines run under TCG, slower`, hint: kvmHint(reason) };
  },
};

function kvmHint(reason: string): string {
  if (/permission denied/i.test(reason)) return 'sudo adduser "$USER" kvm, then log in again';
  if (reason.includes(`no ${EMULATOR}`)) return "make setup";
  if (/no \/dev\/kvm/.test(reason)) return "sudo modprobe kvm_intel || sudo modprobe kvm_amd; or enable VT-x/SVM";
  return "Nothing to do; for speed use a host whose KVM works.";
}

/** Starts a daemon in a folder of its own and asks it: nothing less shows that it works. */
const libvirt: DoctorCheck = {
  name: "libvirt",
  async look(host) {
    const daemon = await trialDaemon(host);
    try {
      // The library alone, so that its absence is not taken for a fault of the daemon, which needs it too.
      await (await ThreadLibvirt.connect("test:///default"))[Symbol.asyncDispose]();
      await daemon.ensure();
      await using connection = await ThreadLibvirt.connect(daemon.uri, { deadlineMs: CONNECT_MS });
      const { library, daemon: version, hypervisor } = await connection.call("version", {});
      const words = `libvirt ${library}, private libvirtd ${version} started, drives QEMU ${hypervisor}`;
      return { status: "ok", message: words };
    } catch (thrown) {
      const { message, hint, log } = asVnflabError(thrown);
      return { status: "failure", message: [message, ...(log?.lines ?? [])].join("\n"), hint };
    } finally {
      await daemon.stop();
    }
  },
};

async function trialDaemon(host: Host): Promise<PrivateDaemon> {
  const { runRoot, cacheDir } = await resolveLayout(host);
  const { pid } = await host.exec.self();
  return new PrivateDaemon(host, { dir: join(runRoot, `doctor-${pid}`), cacheHome: join(cacheDir, "libvirt") });
}

export const vmChecks: readonly DoctorCheck[] = [qemu, kvm, libvirt];
