/** A machine -> its libvirt domain, by a template with placeholders or by a domain that somebody wrote. */
import { dirname } from "node:path";
import type { Element } from "@xmldom/xmldom";
import type { AllocatedMachine } from "../model/deployment.js";
import { fillDocument, hasPlaceholders, serialise, type Template } from "./fill-template.js";
import type { TemplateChange } from "./template/editor.js";
import { type DiskOverlay, type DomainValues, type LabDisk, patchDomain } from "./template/patch-domain.js";

export interface DomainContext {
  readonly lab: string;
  readonly domainName: string;
  readonly accelerator: "kvm" | "tcg";
  readonly emulator: string;
  /** Machine types of that emulator; needed for templates without placeholders only. */
  readonly machineTypes?: readonly string[];
  readonly consoleLog: string;
  readonly consoleSocket: string;
  readonly agentSocket: string;
  readonly image: {
    /** Absent: the machine boots from its first disk. */
    readonly kernel?: string;
    readonly initrd?: string;
    readonly disks: readonly LabDisk[];
  };
  readonly kernelArgs: string;
  /** Where the writable layer over a disk of the template goes, by its target (`vda`). */
  readonly overlay: (target: string) => string;
}

export interface RenderedDomain {
  readonly xml: string;
  /** The same as elements, which know the lines of the template. */
  readonly root: Element;
  /** To be made before the machine starts. */
  readonly overlays: readonly DiskOverlay[];
  /** What was changed in a domain without placeholders. */
  readonly changes: readonly TemplateChange[];
}

/** Without these the lab could neither name, reach nor wire the machine. */
const REQUIRED = ["name", "interfaces", "consoleLog", "agentSocket"];

export function renderDomain(
  template: Omit<Template, "required">,
  machine: AllocatedMachine,
  context: DomainContext,
): RenderedDomain {
  const values = domainValues(machine, context);
  if (hasPlaceholders(template.text)) {
    const root = fillDocument({ ...template, required: REQUIRED }, placeholders(values));
    return { xml: serialise(root), root, overlays: [], changes: [] };
  }
  const { editor, overlays, changes } = patchDomain(template.file, template.text, dirname(template.file), values);
  return { xml: editor.toString(), root: editor.root, overlays, changes };
}

function domainValues(machine: AllocatedMachine, context: DomainContext): DomainValues {
  const { kernel, initrd, disks } = context.image;
  const boot = { ...(initrd === undefined ? {} : { initrd }), kernelArgs: context.kernelArgs };
  return {
    name: context.domainName,
    title: `vnflab ${context.lab}: ${machine.name}`,
    lab: context.lab,
    machine: machine.name,
    accelerator: context.accelerator,
    memoryMib: machine.memoryMib,
    vcpus: machine.cpus,
    vcpuPins: machine.vcpuPins.map((cpu, vcpu) => ({ vcpu, cpus: String(cpu) })),
    emulatorCpus: machine.emulatorCpus.join(","),
    hostHugepages: machine.hostHugepages,
    emulator: context.emulator,
    machineTypes: context.machineTypes ?? [],
    ...(kernel === undefined ? {} : { boot: { kernel, ...boot } }),
    disks,
    nics: machine.nics.map(({ mac, socket, queues }) => ({ mac, socket, queues })),
    consoleLog: context.consoleLog,
    consoleSocket: context.consoleSocket,
    agentSocket: context.agentSocket,
    overlay: context.overlay,
  };
}

/** The names of vm-templates/README.md. */
function placeholders({ nics, boot, disks, vcpuPins, ...values }: DomainValues) {
  const { name, title, lab, machine, memoryMib, vcpus, emulator, consoleLog, consoleSocket, agentSocket } = values;
  const kvm = values.accelerator === "kvm";
  return {
    ...{ name, title, lab, machine, memoryMib, vcpus, emulator, consoleLog, consoleSocket, agentSocket },
    uuid: undefined,
    domainType: kvm ? "kvm" : "qemu",
    cpuMode: kvm ? "host-passthrough" : "maximum",
    hostHugepages: values.hostHugepages || undefined,
    emulatorCpus: values.emulatorCpus || undefined,
    vcpuPins: vcpuPins.map((pin) => ({ ...pin })),
    kernel: boot?.kernel,
    initrd: boot?.initrd,
    kernelArgs: boot?.kernelArgs,
    disks: disks.map((disk) => ({ ...disk })),
    interfaces: nics.map((nic) => ({ ...nic })),
  };
}
