/**
 * The contract of machine drivers, and more, against real guests under a real libvirtd. Needs the guest image and
 * QEMU 8 or newer; boots one small guest at a time.
 */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Host } from "../../host/host.js";
import { realHost } from "../../host/real-host.js";
import { type Probed, waitFor } from "../../host/wait.js";
import { VnflabError } from "../../model/error.js";
import { LOCAL } from "../../model/place.js";
import { fillTemplate } from "../../render/fill-template.js";
import type { LabDisk } from "../../render/template/patch-domain.js";
import type { MachineDriver, Rung, RungStatus, VmSpec } from "../machine-driver.js";
import { machineDriverContract } from "../machine-driver-contract.js";
import { chooseAccelerator } from "./accelerator-probe.js";
import { libvirtMachines } from "./libvirt-machine-driver.js";

const READY_MS = 120_000;
const signal = new AbortController().signal;
const reasonToSkip = await findReason(realHost());

if (reasonToSkip) {
  describe.skip(`machine driver: libvirt (${reasonToSkip})`, () => {
    it("boots a guest", () => {});
  });
} else {
  machineDriverContract("libvirt", () => Guest.make(), READY_MS);
  describe("libvirt driver", realGuestTests);
}

function realGuestTests(): void {
  it("notices a guest that dies, with its last console lines", { timeout: READY_MS }, async () => {
    await using guest = await Guest.ready();
    const sleeping = await guest.driver.exec(guest.spec, { argv: ["sleep", "1000"] });
    const crash = "echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger";
    await guest.driver.exec(guest.spec, { argv: ["sh", "-c", crash] });
    const error = await sleeping.wait().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "VNF_MACHINE_FAILED", message: /kernel panicked/ });
    expect((error as { log: { lines: string[] } }).log.lines.join("\n")).toMatch(/sysrq/i);
    expect((await guest.driver.observe(guest.spec)).status).toBe("dead");
  });

  it("goes on after its daemon was killed, in another process too", { timeout: READY_MS }, async () => {
    await using guest = await Guest.ready();
    const pid = Number(await readFile(join(guest.spec.runDir, "v", "libvirtd.pid"), "utf8"));
    process.kill(pid, "SIGKILL");
    await using later = libvirtMachines(guest.host);
    expect((await later.observe(guest.spec)).status).toBe("running");
    const echoed = await (await later.exec(guest.spec, { argv: ["echo", "still here"] })).wait();
    expect(echoed.stdout).toBe("still here\n");
    await later.stop(guest.spec);
    expect((await later.observe(guest.spec)).status).toBe("absent");
    await later.release(guest.spec.runDir);
    await expect(stat(join(guest.spec.runDir, "v"))).rejects.toThrow("ENOENT");
  });

  it("says what is missing when the switch does not listen", { timeout: READY_MS }, async () => {
    const socket = "/nonexistent/port.sock";
    await using guest = await Guest.make([{ mac: "02:00:00:00:00:01", socket, queues: 1 }]);
    const refused = guest.driver.start(guest.spec, signal);
    await expect(refused).rejects.toMatchObject({ code: "VNF_SWITCH_FAILED", message: /port\.sock/, hint: /switch/ });
    expect((await guest.driver.observe(guest.spec)).status).toBe("absent");
  });
}

type Nic = Readonly<Record<"mac" | "socket", string> & Record<"queues", number>>;

class Guest implements AsyncDisposable {
  private constructor(
    readonly host: Host,
    readonly driver: MachineDriver<VmSpec>,
    readonly spec: VmSpec,
    private readonly dir: string,
  ) {}

  static async make(interfaces: readonly Nic[] = []): Promise<Guest> {
    // A short path: libvirt puts its sockets below it.
    const dir = await mkdtemp("/tmp/vnfc-");
    const host = realHost();
    const spec = await makeSpec(host, dir, interfaces);
    return new Guest(host, libvirtMachines(host), spec, dir);
  }

  static async ready(): Promise<Guest> {
    const guest = await Guest.make();
    await guest.driver.start(guest.spec, signal);
    for (const rung of guest.driver.rungs(guest.spec)) await guest.climb(rung);
    return guest;
  }

  private async climb(rung: Rung): Promise<void> {
    const probe = async (): Promise<Probed<RungStatus>> => {
      const status = await rung.probe(signal);
      return status.reached ? { reached: true, value: status } : status;
    };
    const onDeadline = (lastSeen: string) => new VnflabError("VNF_NOT_READY", `${rung.name}: ${lastSeen}`);
    await waitFor(this.host.clock, probe, { deadlineMs: rung.deadlineMs, signal, onDeadline });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver.stop(this.spec);
    await this.driver.release(this.spec.runDir);
    await this.driver[Symbol.asyncDispose]();
    await rm(this.dir, { recursive: true, force: true });
  }
}

async function makeSpec(host: Host, dir: string, interfaces: readonly Nic[]): Promise<VmSpec> {
  const image = imageOf(host);
  const manifest = JSON.parse(await readFile(join(image, "manifest.json"), "utf8")) as Record<string, string>;
  const template = join(host.root, "vm-templates", "guest.xml");
  const { accelerator } = await chooseAccelerator(host, "auto");
  const names = { lab: "contract", machine: "a", domainName: "vnflab-contract-a" };
  const sockets = { consoleSocket: join(dir, "a.con"), agentSocket: join(dir, "a.qga") };
  const consoleLog = join(dir, "console.log");
  const root: LabDisk = { file: join(image, manifest.rootfs ?? ""), target: "vda", format: "raw", readonly: true };
  const domainXml = fillTemplate(
    { file: template, text: await readFile(template, "utf8"), required: [] },
    {
      ...{ lab: names.lab, machine: names.machine, name: names.domainName, title: undefined, uuid: undefined },
      domainType: accelerator === "kvm" ? "kvm" : "qemu",
      cpuMode: accelerator === "kvm" ? "host-passthrough" : "maximum",
      ...{ memoryMib: 256, vcpus: 1, hostHugepages: undefined, vcpuPins: [] },
      kernel: join(image, manifest.kernel ?? ""),
      initrd: manifest.initrd ? join(image, manifest.initrd) : undefined,
      kernelArgs: `${manifest.kernelArgs} vnflab.hostname=a vnflab.payload=none vnflab.uio=none`,
      emulator: await host.exec.which("qemu-system-x86_64"),
      disks: [{ ...root }],
      ...{ interfaces, consoleLog, ...sockets },
    },
  );
  const deadlinesMs = { running: 5000, console: 30_000, agent: 60_000, init: 30_000, nic: 5000 };
  const folders = { stateDir: dir, runDir: dir, binDir: "/opt/vnflab/bin", workDir: "/run/vnflab" };
  return {
    kind: "vm",
    place: LOCAL,
    accelerator,
    ...names,
    ...folders,
    consoleLog,
    domainXml,
    macs: [],
    deadlinesMs,
    ...sockets,
  };
}

async function findReason(host: Host): Promise<string | undefined> {
  const manifest = join(imageOf(host), "manifest.json");
  if ((await host.files.kind(manifest)) === undefined) return "the guest image is not built";
  if ((await host.exec.which("qemu-system-x86_64")) === undefined) return "QEMU is not installed";
  const { stdout } = await host.exec.run(["qemu-system-x86_64", "--version"]);
  return /version ([89]|\d\d)\./.test(stdout) ? undefined : "QEMU is older than 8";
}

function imageOf(host: Host): string {
  return join(host.root, "build", "images", "guest", "current");
}
