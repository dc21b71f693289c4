/** A template as a lab would use it, for a machine that stands for any. */
import { dirname, join } from "node:path";
import type { Host } from "../../host/host.js";
import type { AllocatedMachine } from "../../model/deployment.js";
import { LOCAL } from "../../model/place.js";
import { renderDomain } from "../../render/domain-xml.js";
import { hasPlaceholders } from "../../render/fill-template.js";
import type { TemplateChange, TemplateFacts } from "../../render/template/editor.js";
import { migrateTemplate, pathsIn } from "../../render/template/migrate-template.js";
import { hasOwnDisk } from "../../render/template/patch-domain.js";
import { findSchemaFaults, type SchemaFault } from "./domain-schema.js";
import { findEmulator, readMachineTypes } from "./emulator.js";

export interface TemplateReport {
  readonly file: string;
  readonly kind: "placeholders" | "domain";
  /** What `vnflab template migrate` would change: the template does not work, or not here. */
  readonly outdated: readonly TemplateChange[];
  /** What is wrong by libvirt's schema; undefined when this host has no validator. */
  readonly faults: readonly SchemaFault[] | undefined;
  /** Own disks that are not there. */
  readonly missing: readonly string[];
  /** What a lab sets in it, whatever it says. */
  readonly patched: readonly TemplateChange[];
}

export async function templateFacts(host: Host, file: string, text: string): Promise<TemplateFacts> {
  const emulator = await findEmulator(host);
  const paths = pathsIn(file, text);
  const kinds = await Promise.all(paths.map((path) => host.files.kind(path)));
  return {
    emulator,
    machineTypes: await readMachineTypes(host, emulator),
    presentFiles: new Set(paths.filter((_, index) => kinds[index] !== undefined)),
  };
}

/** Throws VNF_TEMPLATE_INVALID for what cannot be read as a template at all. */
export async function checkTemplate(host: Host, file: string, text: string): Promise<TemplateReport> {
  if (hasPlaceholders(text)) {
    const { root } = renderDomain({ file, text }, ANY_MACHINE, context(await findEmulator(host), [], true));
    const faults = await findSchemaFaults(host, root);
    return { file, kind: "placeholders", outdated: [], faults, missing: [], patched: [] };
  }
  const facts = await templateFacts(host, file, text);
  const { changes: outdated, xml } = migrateTemplate(file, text, facts);
  const rendered = renderDomain(
    // As it is, so that lines are the user's, unless nothing can be made of it as it is.
    { file, text: outdated.length === 0 ? text : xml },
    ANY_MACHINE,
    context(facts.emulator, facts.machineTypes, !hasOwnDisk(file, xml)),
  );
  const faults = await findSchemaFaults(host, rendered.root);
  const backings = rendered.overlays.map(({ backing }) => backing);
  const kinds = await Promise.all(backings.map((path) => host.files.kind(path)));
  const missing = backings.filter((_, index) => kinds[index] === undefined);
  return { file, kind: "domain", outdated, faults, missing, patched: rendered.changes };
}

function context(emulator: string, machineTypes: readonly string[], fromImage: boolean) {
  const image = { kernel: "/IMAGE/vmlinuz", initrd: "/IMAGE/initrd.img" };
  const payload = { file: "/IMAGE/payload.img", format: "raw", readonly: true, target: "vdb" } as const;
  return {
    lab: "LAB",
    domainName: "vnflab-LAB-MACHINE",
    accelerator: "tcg" as const,
    ...{ emulator, machineTypes },
    consoleLog: "/STATE/console.log",
    consoleSocket: "/RUN/MACHINE.con",
    agentSocket: "/RUN/MACHINE.qga",
    image: fromImage
      ? { ...image, disks: [{ ...payload, file: "/IMAGE/root.img", target: "vda" }, payload] }
      : { disks: [payload] },
    kernelArgs: "console=ttyS0",
    overlay: (target: string) => join(dirname("/STATE/MACHINE/x"), `${target}.qcow2`),
  };
}

const ANY_MACHINE: AllocatedMachine = {
  name: "MACHINE",
  kind: "vm",
  place: LOCAL,
  cpus: 1,
  nics: [
    {
      link: "lan",
      queues: 1,
      address: "169.254.9.1/24",
      mac: "02:00:00:00:00:01",
      port: "MACHINE",
      socket: "/RUN/MACHINE.sock",
    },
  ],
  forwarding: false,
  aliases: [],
  routes: [],
  memoryMib: 768,
  hugepagesMib: 256,
  accelerator: "auto",
  stack: { kind: "libmtcp", cores: 1, workers: 1, distribution: "direct", config: {} },
  cores: [],
  vcpuPins: [],
  emulatorCpus: [],
  hostHugepages: false,
  filePrefix: "MACHINE",
};
