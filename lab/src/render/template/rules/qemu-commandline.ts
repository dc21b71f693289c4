/**
 * What was once possible by QEMU's arguments only and now has elements of its own: vhost-user cards, shared memory on
 * hugepages, size and processor. Arguments that are not known here stay.
 */
import type { Element } from "@xmldom/xmldom";
import { append, ensure, find, setAttributes } from "../dom.js";
import type { DomainEditor } from "../editor.js";
import { dropOptions, type QemuOption, qemuCommandline, readQemuOptions } from "../qemu-arguments.js";
import { addVhostUser } from "./devices.js";
import type { Rule } from "./rule.js";

export const qemuCommandlineRule: Rule = (editor) => {
  const commandline = qemuCommandline(editor);
  if (!commandline) return;
  const options = readQemuOptions(commandline);
  vhostUserCards(editor, options);
  guestMemory(editor, options);
  sizes(editor, options);
  unwanted(editor, options);
};

/** True when there are arguments that this rule would turn into elements: such a template cannot work as it is. */
export function hasObsoleteArguments(editor: DomainEditor): Element | undefined {
  const commandline = qemuCommandline(editor);
  const options = commandline ? readQemuOptions(commandline) : [];
  return options.find((option) => isVhostUser(option) || isMemory(option))?.elements[0];
}

const isVhostUser = ({ name, kind }: QemuOption) => name === "netdev" && kind === "vhost-user";
const isMemory = ({ name, kind }: QemuOption) =>
  ["mem-path", "mem-prealloc"].includes(name) || (name === "object" && kind.startsWith("memory-backend-"));

function vhostUserCards(editor: DomainEditor, options: readonly QemuOption[]): void {
  const devices = ensure(editor.root, "devices");
  for (const netdev of options.filter(isVhostUser)) {
    const { id, chardev: line } = netdev.properties;
    const socket = options.find(({ name, properties }) => name === "chardev" && properties.id === line);
    const device = options.find(({ name, properties }) => name === "device" && properties.netdev === id);
    const queues = Number(netdev.properties.queues ?? 0);
    const mac = device?.properties.mac;
    addVhostUser(devices, {
      ...(mac === undefined ? {} : { mac }),
      socket: socket?.properties.path ?? `/tmp/${id ?? "vhost-user"}`,
      ...(queues > 0 ? { queues } : {}),
      off: offloads(device),
    });
    const parts = [netdev, socket, device].filter((option) => option !== undefined);
    const why = `<interface type="vhostuser"> says it now${mac === undefined ? "" : ` (MAC ${mac})`}`;
    dropOptions(editor, parts, why, "The lab sets socket, MAC and queues by the lab file, card by card in this order.");
  }
}

/** virtio-net's properties that libvirt has attributes for. */
const HOST_OFFLOADS = ["csum", "gso", "host_tso4:tso4", "host_tso6:tso6", "host_ecn:ecn", "host_ufo:ufo", "mrg_rxbuf"];
const GUEST_OFFLOADS = ["guest_csum:csum", "guest_tso4:tso4", "guest_tso6:tso6", "guest_ecn:ecn", "guest_ufo:ufo"];

function offloads(device: QemuOption | undefined) {
  const off = (names: readonly string[]) =>
    names.flatMap((entry) => {
      const [property = "", attribute = property] = entry.split(":");
      return ["off", "false"].includes(device?.properties[property] ?? "") ? [attribute] : [];
    });
  return { host: off(HOST_OFFLOADS), guest: off(GUEST_OFFLOADS) };
}

function guestMemory(editor: DomainEditor, options: readonly QemuOption[]): void {
  const backends = options.filter(isMemory);
  const ids = backends.flatMap(({ properties }) => properties.id ?? []);
  const nodes = options.filter(({ name, properties }) => name === "numa" && ids.includes(properties.memdev ?? ""));
  if (backends.length === 0) return;
  dropOptions(
    editor,
    [...backends, ...nodes],
    "<memoryBacking> says it now: memory that the switch can map, by memfd, without hugepages",
    "For hugepages write <hugepages/> into <memoryBacking> and set aside enough of them (`vnflab doctor`).",
  );
}

/** `-m`, `-smp` and `-cpu` would contradict the elements, which the lab sets. */
function sizes(editor: DomainEditor, options: readonly QemuOption[]): void {
  for (const option of options) {
    if (option.name === "m") {
      const mib = sizeMib(option.properties.size ?? option.kind);
      if (mib === undefined) continue;
      const memory = ensure(editor.root, "memory");
      setAttributes(memory, { unit: "MiB" });
      memory.textContent = String(mib);
      dropOptions(editor, [option], `<memory> says it now, ${mib} MiB; the lab file's \`memory\` goes before it`);
    } else if (option.name === "smp") {
      ensure(editor.root, "vcpu").textContent = option.properties.cpus ?? option.kind;
      dropOptions(editor, [option], "<vcpu> says it now; the lab file's `cpus` goes before it");
    } else if (option.name === "cpu") {
      dropOptions(editor, [option], "<cpu> says it now; without KVM the lab takes the fullest emulated processor");
      if (!find(editor.root, "cpu")) append(editor.root, "cpu", { mode: "host-passthrough", check: "none" });
    } else if (option.name === "enable-kvm") {
      dropOptions(editor, [option], "the lab file's `accelerator` says it, and `auto` tries whether KVM works");
    }
  }
}

function sizeMib(text: string): number | undefined {
  const parsed = /^(\d+)([MGmg]?)$/.exec(text);
  if (!parsed) return undefined;
  return Number(parsed[1]) * (parsed[2]?.toUpperCase() === "G" ? 1024 : 1);
}

const SCREEN = ["vnc", "spice", "vga", "display", "nographic", "soundhw", "sdl"];
/** Devices by their QEMU names, and why a lab's guest goes without them. */
const DEVICES: Readonly<Record<string, string>> = {
  qxl: "a lab's guest has a serial console and no screen",
  "qxl-vga": "a lab's guest has a serial console and no screen",
  "vfio-pci": "a device of another host; the lab joins machines by its own switch",
  "pci-assign": "a device of another host, by a way that QEMU no longer has",
};

function unwanted(editor: DomainEditor, options: readonly QemuOption[]): void {
  for (const option of options) {
    const reason = SCREEN.includes(option.name) ? DEVICES.qxl : option.name === "device" && DEVICES[option.kind];
    if (reason) dropOptions(editor, [option], reason);
  }
}
