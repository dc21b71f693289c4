/** A virtual machine -> its libvirt domain and what must be made before it starts. */
import { join } from "node:path";
import { readTscKhz } from "../../host/facts.js";
import type { Host } from "../../host/host.js";
import { type AllocatedMachine, kernelNics } from "../../model/deployment.js";
import { VnflabError } from "../../model/error.js";
import { renderCloudSeed, SEED_LABEL } from "../../render/cloud-seed.js";
import { renderDomain } from "../../render/domain-xml.js";
import { hasPlaceholders } from "../../render/fill-template.js";
import { renderKernelCmdline } from "../../render/kernel-cmdline.js";
import { hasOwnDisk } from "../../render/template/patch-domain.js";
import type { VmSpec } from "../machine-driver.js";
import { checkSchema } from "./domain-schema.js";
import { findEmulator, readMachineTypes } from "./emulator.js";
import { readVmImage } from "./vm-image.js";

const TEMPLATE = "vm-templates/guest.xml";

type Common = Pick<VmSpec, "lab" | "machine" | "stateDir" | "runDir" | "consoleLog" | "deadlinesMs" | "place">;

export async function vmSpec(
  host: Host,
  common: Common,
  machine: AllocatedMachine,
  accelerator: "kvm" | "tcg",
): Promise<VmSpec> {
  const emulator = await findEmulator(host);
  const own = machine.template === undefined ? undefined : await readTemplate(host, machine.template);
  const bootsItself = own?.plain === true && hasOwnDisk(own.file, own.text);
  const image = await readVmImage(host, machine, { bootsItself, stateDir: common.stateDir });
  const template = own ?? (await readTemplate(host, join(host.root, TEMPLATE)));
  const tscKhz = accelerator === "tcg" ? await readTscKhz(host) : undefined;
  const domainName = `vnflab-${common.lab}-${machine.name}`;
  const consoleSocket = join(common.runDir, `${machine.name}.con`);
  const { xml, root, overlays } = renderDomain(template, machine, {
    lab: common.lab,
    domainName,
    accelerator,
    emulator,
    machineTypes: template.plain ? await readMachineTypes(host, emulator) : [],
    consoleLog: common.consoleLog,
    consoleSocket,
    agentSocket: join(common.runDir, `${machine.name}.qga`),
    image,
    kernelArgs: renderKernelCmdline(image.kernelArgs, machine, tscKhz),
    overlay: (target) => join(common.stateDir, `${target}.qcow2`),
  });
  if (own) await checkSchema(host, template.file, root);
  for (const { backing } of overlays) await requireDisk(host, template.file, backing);
  const seed = image.seed === undefined ? undefined : seedOf(image.seed, common.lab, machine);
  const guestDirs = { binDir: "/opt/vnflab/bin", workDir: "/run/vnflab" };
  const kernels = kernelNics(machine);
  const macs = machine.nics.filter((nic) => !kernels.includes(nic)).map(({ mac }) => mac);
  const libvirtUri = host.env.VNFLAB_LIBVIRT_URI;
  return {
    ...{ ...common, ...guestDirs, kind: "vm", accelerator, domainName, domainXml: xml, consoleSocket, macs },
    ...(seed ? { disks: { overlays: [...image.overlays, ...overlays], seed } } : {}),
    ...(libvirtUri ? { libvirtUri } : {}),
  };
}

function seedOf(file: string, lab: string, machine: AllocatedMachine) {
  const words = renderKernelCmdline("", machine).split(" ");
  return { file, label: SEED_LABEL, content: renderCloudSeed({ lab, machine: machine.name, arguments: words }) };
}

async function readTemplate(host: Host, file: string) {
  const text = await host.files.readText(file);
  if (text === undefined) throw new VnflabError("VNF_TEMPLATE_INVALID", `there is no template ${file}`);
  return { file, text, plain: !hasPlaceholders(text) };
}

async function requireDisk(host: Host, template: string, disk: string): Promise<void> {
  const kind = await host.files.kind(disk);
  if (kind === "file" || kind === "other") return;
  throw new VnflabError("VNF_IMAGE_INVALID", `${template} names a disk that is not there: ${disk}`);
}
