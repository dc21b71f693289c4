/**
 * A domain without placeholders -> the domain of one machine of a lab: what the lab decides is set, element by
 * element; everything else, comments included, stays as the user wrote it.
 */
import { isAbsolute, join } from "node:path";
import type { Element } from "@xmldom/xmldom";
import { append, children, closeUp, ensure, find, insertAfter, remove, setAttributes, show, textOf } from "./dom.js";
import { DomainEditor, type TemplateChange, type TemplateFacts } from "./editor.js";
import { patchCards, patchCharacterDevices } from "./patch-devices.js";
import { acpi, aliases, identity, placement } from "./rules/identity.js";
import { emulator, machineType, sharedMemory } from "./rules/machine.js";
import { hasObsoleteArguments } from "./rules/qemu-commandline.js";

/** A disk of the lab, after those of the template. */
export interface LabDisk {
  readonly file: string;
  readonly format: "raw" | "qcow2";
  readonly readonly: boolean;
  readonly target: string;
}

/** What the lab decides about a machine. */
export interface DomainValues {
  readonly name: string;
  readonly title: string;
  readonly lab: string;
  readonly machine: string;
  readonly accelerator: "kvm" | "tcg";
  readonly memoryMib: number;
  readonly vcpus: number;
  readonly vcpuPins: readonly { readonly vcpu: number; readonly cpus: string }[];
  /** CPUs of the host for QEMU's own threads beside pinned virtual CPUs, as a list; empty: wherever the kernel likes. */
  readonly emulatorCpus: string;
  readonly hostHugepages: boolean;
  readonly emulator: string;
  /** Of QEMU on this host; empty: not asked. */
  readonly machineTypes: readonly string[];
  /** Absent: the machine boots from its own disks. */
  readonly boot?: { readonly kernel: string; readonly initrd?: string; readonly kernelArgs: string };
  readonly disks: readonly LabDisk[];
  readonly nics: readonly { readonly mac: string; readonly socket: string; readonly queues: number }[];
  readonly consoleLog: string;
  readonly consoleSocket: string;
  readonly agentSocket: string;
  /** Own disks of the template: where the machine's writable layer over each goes. */
  readonly overlay: (target: string) => string;
}

/** A writable layer that must be made before the machine starts. */
export interface DiskOverlay {
  readonly file: string;
  readonly backing: string;
  readonly backingFormat: string;
}

export interface PatchedDomain {
  readonly editor: DomainEditor;
  readonly changes: readonly TemplateChange[];
  readonly overlays: readonly DiskOverlay[];
}

const BY_LAB = "the lab file says it";

/** `folder` is where the template is: its relative paths begin there. */
export function patchDomain(file: string, text: string, folder: string, values: DomainValues): PatchedDomain {
  const editor = new DomainEditor(file, text);
  const obsolete = hasObsoleteArguments(editor);
  if (obsolete) {
    const hint = `Run \`vnflab template migrate ${file} -o NEW.xml\` and use what it makes.`;
    throw editor.error(
      obsolete,
      `QEMU's ${obsolete.getAttribute("value")} stands where libvirt has elements now`,
      hint,
    );
  }
  const facts: TemplateFacts = {
    emulator: values.emulator,
    machineTypes: values.machineTypes,
    presentFiles: new Set(),
  };
  identity(editor, facts);
  aliases(editor, facts);
  placement(editor, facts);
  patchIdentity(editor, values);
  patchSize(editor, values);
  patchProcessor(editor, values);
  sharedMemory(editor, facts);
  machineType(editor, facts);
  ensureEmulator(editor, values);
  emulator(editor, facts);
  acpi(editor, facts);
  patchBoot(editor, values);
  const overlays = patchDisks(editor, folder, values);
  patchCards(editor, values.nics);
  patchCharacterDevices(editor, values);
  return { editor, changes: editor.changes, overlays };
}

/** True when the template has a disk to boot from, and so needs no image. */
export function hasOwnDisk(file: string, text: string): boolean {
  const devices = find(new DomainEditor(file, text).root, "devices");
  return devices !== undefined && children(devices, "disk").some(isOwnDisk);
}

function isOwnDisk(disk: Element): boolean {
  return (disk.getAttribute("device") ?? "disk") === "disk";
}

/** Sets an element's text and says so, unless it was that already. */
function setText(editor: DomainEditor, element: Element, text: string, why: string): void {
  const before = textOf(element);
  if (before === text) return;
  element.textContent = text;
  editor.note(element, `<${element.tagName}> ${before === "" ? "" : `${before} `}-> ${text}`, why);
}

function patchIdentity(editor: DomainEditor, { name, title, lab, machine, accelerator }: DomainValues): void {
  const { root } = editor;
  setText(editor, ensure(root, "name"), name, "libvirt's names are the lab's, so that it finds its machines again");
  const titled = find(root, "title") ?? insertAfter(root, "title", find(root, "name"));
  titled.textContent = title;
  const metadata = find(root, "metadata") ?? insertAfter(root, "metadata", titled);
  for (const mark of children(metadata, "machine")) {
    if (mark.namespaceURI === "urn:vnflab:lab") remove(mark);
  }
  append(metadata, "lab:machine", { "xmlns:lab": "urn:vnflab:lab", lab, name: machine });
  const type = accelerator === "kvm" ? "kvm" : "qemu";
  const before = root.getAttribute("type");
  if (before === type) return;
  setAttributes(root, { type });
  editor.note(
    root,
    `domain type ${before ?? "(none)"} -> ${type}`,
    "the lab file's `accelerator`, and whether KVM works here",
  );
}

function patchSize(editor: DomainEditor, { memoryMib, vcpus, vcpuPins, emulatorCpus }: DomainValues): void {
  const { root } = editor;
  const memory = ensure(root, "memory");
  const before = `${textOf(memory)} ${memory.getAttribute("unit") ?? "KiB"}`;
  if (before !== `${memoryMib} MiB`) {
    setAttributes(memory, { unit: "MiB" });
    memory.textContent = String(memoryMib);
    editor.note(memory, `<memory> ${before.trim()} -> ${memoryMib} MiB`, `${BY_LAB} (\`memory\`)`);
  }
  const vcpu = ensure(root, "vcpu");
  setText(editor, vcpu, String(vcpus), `${BY_LAB} (\`cpus\`)`);
  for (const list of children(root, "vcpus")) editor.drop(list, `${BY_LAB} (\`cpus\`)`);
  if (vcpuPins.length === 0) return;
  const tune = insertAfter(root, "cputune", vcpu);
  for (const { vcpu: number, cpus } of vcpuPins) append(tune, "vcpupin", { vcpu: number, cpuset: cpus });
  if (emulatorCpus !== "") append(tune, "emulatorpin", { cpuset: emulatorCpus });
}

function patchProcessor(editor: DomainEditor, { accelerator, vcpus }: DomainValues): void {
  const { root } = editor;
  const cpu = find(root, "cpu");
  if (accelerator === "tcg") {
    if (cpu?.getAttribute("mode") === "maximum") return;
    if (cpu) editor.drop(cpu, "without KVM the fullest emulated processor is taken; DPDK needs SSE4.2 at least");
    insertAfter(root, "cpu", find(root, "vcpu"), { mode: "maximum", check: "none" });
    return;
  }
  if (!cpu) {
    insertAfter(root, "cpu", find(root, "vcpu"), { mode: "host-passthrough", check: "none" });
    return;
  }
  const topology = find(cpu, "topology");
  const product = ["sockets", "dies", "clusters", "cores", "threads"]
    .map((name) => Number(topology?.getAttribute(name) ?? 1))
    .reduce((all, one) => all * one, 1);
  if (topology && product !== vcpus) editor.drop(topology, `it is for ${product} CPUs, and the lab file says ${vcpus}`);
}

function ensureEmulator(editor: DomainEditor, values: DomainValues): void {
  const devices = ensure(editor.root, "devices");
  if (!find(devices, "emulator")) append(devices, "emulator", {}, values.emulator);
}

function patchBoot(editor: DomainEditor, { boot }: DomainValues): void {
  const { root } = editor;
  for (const event of ["on_poweroff", "on_reboot", "on_crash"]) {
    setText(editor, ensure(root, event), "destroy", "however a guest ends, it ends: the lab decides what comes next");
  }
  if (!boot) return;
  const os = ensure(root, "os");
  if (os.getAttribute("firmware") !== null) {
    editor.note(
      os,
      `firmware="${os.getAttribute("firmware")}" of <os> removed`,
      "the image's kernel is started directly",
    );
    setAttributes(os, { firmware: undefined });
  }
  for (const name of ["loader", "nvram", "firmware", "kernel", "initrd", "cmdline", "dtb"]) {
    for (const element of children(os, name)) editor.drop(element, "the machine boots the kernel of its image");
  }
  append(os, "kernel", {}, boot.kernel);
  if (boot.initrd !== undefined) append(os, "initrd", {}, boot.initrd);
  append(os, "cmdline", {}, boot.kernelArgs);
}

function patchDisks(editor: DomainEditor, folder: string, values: DomainValues): DiskOverlay[] {
  const devices = ensure(editor.root, "devices");
  const overlays = children(devices, "disk").flatMap((disk) => ownDisk(editor, disk, folder, values) ?? []);
  const taken = new Set(children(devices, "disk").map((disk) => find(disk, "target")?.getAttribute("dev")));
  for (const { file, format, readonly, target } of values.disks) {
    const free = taken.has(target) ? nextFree(taken) : target;
    taken.add(free);
    const disk = append(devices, "disk", { type: "file", device: "disk" });
    append(disk, "driver", { name: "qemu", type: format });
    append(disk, "source", { file });
    append(disk, "target", { dev: free, bus: "virtio" });
    if (readonly) append(disk, "readonly");
  }
  return overlays;
}

/** The template's disk is never written to: the machine gets a layer of its own over it. */
function ownDisk(editor: DomainEditor, disk: Element, folder: string, values: DomainValues): DiskOverlay | undefined {
  const source = find(disk, "source");
  const written = source?.getAttribute("file");
  if (!source || !written) return undefined;
  const backing = isAbsolute(written) ? written : join(folder, written);
  const writable = isOwnDisk(disk) && !find(disk, "readonly") && !find(disk, "shareable");
  if (!writable) {
    setAttributes(source, { file: backing });
    return undefined;
  }
  const file = values.overlay(find(disk, "target")?.getAttribute("dev") ?? "disk");
  const driver = find(disk, "driver") ?? insertAfter(disk, "driver", undefined, { name: "qemu" });
  const backingFormat = driver.getAttribute("type") ?? (backing.endsWith(".qcow2") ? "qcow2" : "raw");
  setAttributes(driver, { type: "qcow2" });
  setAttributes(source, { file });
  for (const name of ["backingStore", "mirror"]) for (const old of children(disk, name)) remove(old);
  closeUp(disk);
  editor.note(source, `${show(disk)}: a layer over ${backing}`, "the template's disk itself is never written to");
  return { file, backing, backingFormat };
}

function nextFree(taken: ReadonlySet<string | null | undefined>): string {
  const letters = Array.from({ length: 26 }, (_, index) => `vd${String.fromCharCode(97 + index)}`);
  return letters.find((name) => !taken.has(name)) ?? "vdz";
}
