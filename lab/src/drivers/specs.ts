/** Deployment -> what the drivers are given. Reads the image's manifest and the template, and renders. */
import { join } from "node:path";
import { z } from "zod";
import { readTscKhz } from "../host/facts.js";
import type { Host } from "../host/host.js";
import { labMarks } from "../host/marked-processes.js";
import type { AcceleratorVerdict } from "../model/accelerator.js";
import { type AllocatedMachine, type Deployment, kernelNics } from "../model/deployment.js";
import { VnflabError } from "../model/error.js";
import { renderDomainXml } from "../render/domain-xml.js";
import { renderKernelCmdline } from "../render/kernel-cmdline.js";
import type { MachineSpec, ProcessSpec, VmSpec } from "./machine-driver.js";
import type { SwitchSpec } from "./switch-driver.js";

const EMULATOR = "qemu-system-x86_64";
const APPLICATIONS = "build/c/stack/apps";
const IMAGE = "build/images/guest/current";
const PAYLOAD = "build/images/guest/payload.img";
const TEMPLATE = "vm-templates/guest.xml";

export function switchSpec(deployment: Deployment): SwitchSpec {
  const { kind, place, address, core, memoryMib, hugepages, filePrefix } = deployment.switch;
  const { switch: switchMs, ports: portsMs } = deployment.deadlinesMs;
  return {
    lab: deployment.lab,
    ...{ kind, place, address, core, memoryMib, hugepages, filePrefix },
    stateDir: deployment.stateDir,
    runDir: deployment.runDir,
    logFile: join(deployment.stateDir, "switch.log"),
    links: deployment.links.map(({ name, impair }) => (impair ? { name, impair } : { name })),
    ports: deployment.machines.flatMap(({ nics }) =>
      nics.map(({ port, link, socket, queues, mac }) => ({ name: port, link, socket, queues, macs: [mac] })),
    ),
    deadlinesMs: { switch: switchMs, ports: portsMs },
  };
}

/** What the machine's driver needs; `accelerator` is asked only for machines that have one. */
export async function machineSpec(
  host: Host,
  deployment: Deployment,
  machine: AllocatedMachine,
  accelerator: () => Promise<AcceleratorVerdict>,
): Promise<MachineSpec> {
  const stateDir = join(deployment.stateDir, machine.name);
  const common = {
    lab: deployment.lab,
    machine: machine.name,
    place: machine.place,
    stateDir,
    runDir: deployment.runDir,
    consoleLog: join(stateDir, "console.log"),
    deadlinesMs: deployment.deadlinesMs,
  };
  if (machine.kind === "process") return processSpec(host, common);
  return vmSpec(host, common, machine, (await accelerator()).accelerator);
}

type Common = Omit<ProcessSpec, "kind" | "binDir" | "workDir" | "env">;

function processSpec(host: Host, common: Common): ProcessSpec {
  return {
    ...common,
    kind: "process",
    binDir: join(host.root, APPLICATIONS),
    workDir: join(common.stateDir, "work"),
    // DPDK keeps its run-time files there, which otherwise stay behind in /var/run/dpdk.
    env: { RUNTIME_DIRECTORY: common.runDir, ...labMarks(common.runDir, common.machine) },
  };
}

async function vmSpec(
  host: Host,
  common: Common,
  machine: AllocatedMachine,
  accelerator: "kvm" | "tcg",
): Promise<VmSpec> {
  const emulator = await host.exec.which(EMULATOR);
  if (emulator === undefined) throw new VnflabError("VNF_TOOL_MISSING", `${EMULATOR} is not installed, or not in PATH`);
  const image = await readImage(host, machine.image ?? join(host.root, IMAGE));
  const payload = join(host.root, PAYLOAD);
  await requireFile(host, payload);
  const templateFile = machine.template ?? join(host.root, TEMPLATE);
  const text = await host.files.readText(templateFile);
  if (text === undefined) throw new VnflabError("VNF_TEMPLATE_INVALID", `there is no template ${templateFile}`);
  const tscKhz = accelerator === "tcg" ? await readTscKhz(host) : undefined;
  const domainName = `vnflab-${common.lab}-${machine.name}`;
  const consoleSocket = join(common.runDir, `${machine.name}.con`);
  const domainXml = renderDomainXml({ file: templateFile, text }, machine, {
    lab: common.lab,
    domainName,
    accelerator,
    emulator,
    consoleLog: common.consoleLog,
    consoleSocket,
    agentSocket: join(common.runDir, `${machine.name}.qga`),
    image: { ...image, disks: [image.rootfs, payload] },
    kernelArgs: renderKernelCmdline(image.kernelArgs, machine, tscKhz),
  });
  const guestDirs = { binDir: "/opt/vnflab/bin", workDir: "/run/vnflab" };
  const kernels = kernelNics(machine);
  const macs = machine.nics.filter((nic) => !kernels.includes(nic)).map(({ mac }) => mac);
  const libvirtUri = host.env.VNFLAB_LIBVIRT_URI;
  return {
    ...{ ...common, ...guestDirs, kind: "vm", accelerator, domainName, domainXml, consoleSocket, macs },
    ...(libvirtUri ? { libvirtUri } : {}),
  };
}

const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  kernel: z.string(),
  initrd: z.string().nullable(),
  rootfs: z.string(),
  kernelArgs: z.string().default("console=ttyS0"),
});

/** The image's parts, with absolute paths. */
async function readImage(host: Host, folder: string) {
  const file = join(folder, "manifest.json");
  const text = await host.files.readText(file);
  if (text === undefined) throw new VnflabError("VNF_NOT_BUILT", `the guest image is not built: there is no ${file}`);
  const manifest = manifestSchema.safeParse(parseJson(text));
  if (!manifest.success) {
    throw new VnflabError("VNF_NOT_BUILT", `${file} is not a manifest that this version understands`, {
      cause: manifest.error,
      hint: "Build the image again: `make image`.",
    });
  }
  const { kernel, initrd, rootfs, kernelArgs } = manifest.data;
  const parts = { kernel: join(folder, kernel), rootfs: join(folder, rootfs), kernelArgs };
  await Promise.all([parts.kernel, parts.rootfs].map((part) => requireFile(host, part)));
  return initrd === null ? parts : { ...parts, initrd: join(folder, initrd) };
}

async function requireFile(host: Host, file: string): Promise<void> {
  if ((await host.files.kind(file)) !== "file") {
    throw new VnflabError("VNF_NOT_BUILT", `the guest image is not complete: there is no ${file}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
