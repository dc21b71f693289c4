/** A machine -> its libvirt domain. */
import type { AllocatedMachine } from "../model/deployment.js";
import { fillTemplate, type Template } from "./fill-template.js";

export interface DomainContext {
  readonly lab: string;
  readonly domainName: string;
  readonly accelerator: "kvm" | "tcg";
  readonly emulator: string;
  readonly consoleLog: string;
  readonly consoleSocket: string;
  readonly agentSocket: string;
  /** Absolute paths of the image's parts. */
  readonly image: { readonly kernel: string; readonly initrd?: string; readonly disks: readonly string[] };
  readonly kernelArgs: string;
}

/** Without these the lab could neither name, reach nor wire the machine. */
const REQUIRED = ["name", "interfaces", "consoleLog", "agentSocket"];

export function renderDomainXml(
  template: Omit<Template, "required">,
  machine: AllocatedMachine,
  context: DomainContext,
): string {
  return fillTemplate(
    { ...template, required: REQUIRED },
    {
      name: context.domainName,
      uuid: undefined,
      title: `vnflab ${context.lab}: ${machine.name}`,
      lab: context.lab,
      machine: machine.name,
      domainType: context.accelerator === "kvm" ? "kvm" : "qemu",
      cpuMode: context.accelerator === "kvm" ? "host-passthrough" : "maximum",
      memoryMib: machine.memoryMib,
      vcpus: machine.cpus,
      hostHugepages: undefined,
      vcpuPins: [],
      kernel: context.image.kernel,
      initrd: context.image.initrd,
      kernelArgs: context.kernelArgs,
      emulator: context.emulator,
      disks: context.image.disks.map((file, index) => ({ file, target: `vd${String.fromCharCode(97 + index)}` })),
      interfaces: machine.nics.map(({ mac, socket, queues }) => ({ mac, socket, queues })),
      consoleLog: context.consoleLog,
      consoleSocket: context.consoleSocket,
      agentSocket: context.agentSocket,
    },
  );
}
