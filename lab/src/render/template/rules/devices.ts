/** Disks, network cards and files of another host. */
import type { Element } from "@xmldom/xmldom";
import { append, children, find, insertAfter, setAttributes, textOf } from "../dom.js";
import type { DomainEditor, TemplateFacts } from "../editor.js";
import type { Rule } from "./rule.js";

const OWN_DISK =
  "Nothing, to boot the lab's image. To boot your own: copy the disk beside the template and add " +
  '<disk type="file" device="disk"> with <source file="NAME"/> (a path relative to the template), or give the machine ' +
  "`image: {qcow2: NAME}` in the lab file.";

export const disks: Rule = (editor, facts) => {
  const devices = find(editor.root, "devices");
  if (!devices) return;
  for (const disk of children(devices, "disk")) {
    const reason = whyNot(disk, facts);
    if (reason) editor.drop(disk, reason, disk.getAttribute("device") === "cdrom" ? undefined : OWN_DISK);
  }
  for (const filesystem of children(devices, "filesystem")) {
    const dir = find(filesystem, "source")?.getAttribute("dir");
    if (dir && isAbsent(dir, facts))
      editor.drop(filesystem, `this host has no ${dir}`, "Share another folder, if any.");
  }
  for (const device of children(devices, "hostdev")) {
    editor.drop(device, "a device of another host; the lab's network cards are vhost-user ports of its switch");
  }
};

/** Why a disk cannot stay; undefined when it can. */
function whyNot(disk: Element, facts: TemplateFacts): string | undefined {
  const device = disk.getAttribute("device") ?? "disk";
  const type = disk.getAttribute("type") ?? "file";
  if (device === "floppy" || device === "lun") return `a lab's machine has no use for a ${device}`;
  const source = find(disk, "source");
  const path = source?.getAttribute("file") ?? source?.getAttribute("dev");
  if (device === "cdrom" && !path) return "an empty drive: what was in it was the installer's";
  if (type === "volume") return "a volume of a storage pool, of which a lab's libvirt has none";
  if (path && isAbsent(path, facts)) return `this host has no ${path}`;
  return undefined;
}

function isAbsent(path: string, facts: TemplateFacts): boolean {
  return path.startsWith("/") && !facts.presentFiles.has(path);
}

/** Firmware, kernel and initrd outside the disks. */
export const bootFiles: Rule = (editor, facts) => {
  const os = find(editor.root, "os");
  if (!os) return;
  for (const name of ["loader", "nvram", "kernel", "initrd", "dtb"]) {
    for (const element of children(os, name)) {
      const path = textOf(element) || element.getAttribute("template") || "";
      if (!isAbsent(path, facts)) continue;
      editor.drop(
        element,
        `this host has no ${path}`,
        name === "loader" ? 'For EFI write <os firmware="efi">.' : undefined,
      );
    }
  }
  if (!find(os, "kernel")) {
    for (const cmdline of children(os, "cmdline")) editor.drop(cmdline, "arguments of a kernel that is not named");
  }
};

/** Cards of the host's networks. Those over vhost-user stay: the lab sets their sockets, MACs and queues. */
export const interfaces: Rule = (editor) => {
  const devices = find(editor.root, "devices");
  if (!devices) return;
  for (const card of children(devices, "interface")) {
    const type = card.getAttribute("type") ?? "";
    if (type === "vhostuser") mendVhostUser(editor, card);
    else if (type !== "user") editor.drop(card, WHY_NO_CARD[type] ?? `a card of type ${type} needs what a lab has not`);
  }
};

const WHY_NO_CARD: Readonly<Record<string, string>> = {
  direct: "macvtap on a card of another host; the lab joins machines by its own switch",
  bridge: "a bridge of another host; the lab joins machines by its own switch",
  network: "a network of the system's libvirt; a lab's own libvirt has none",
  ethernet: "a tap device of another host; the lab joins machines by its own switch",
  hostdev: "a card passed through; the lab joins machines by its own switch",
};

function mendVhostUser(editor: DomainEditor, card: Element): void {
  for (const target of children(card, "target")) editor.drop(target, "the name of a device of a domain that ran");
  const source = find(card, "source");
  if (source?.getAttribute("mode") === "server") {
    setAttributes(source, { mode: "client" });
    editor.note(
      source,
      "vhost-user: mode server -> client",
      "the lab's switch listens on the socket, the guest connects",
    );
  }
}

/** Files and terminals that stood for the domain's serial lines and channels while it ran. */
export const characterDevices: Rule = (editor) => {
  const devices = find(editor.root, "devices");
  if (!devices) return;
  for (const device of children(devices)) {
    if (!["serial", "console", "channel", "parallel"].includes(device.localName ?? "")) continue;
    const source = find(device, "source");
    const path = source?.getAttribute("path") ?? "";
    const live = device.getAttribute("type") === "pty" || path.startsWith("/var/lib/libvirt/");
    if (source && live) editor.drop(source, "where the line was connected while the domain ran");
    if (device.getAttribute("tty") !== null) {
      editor.note(device, `tty="${device.getAttribute("tty")}" removed`, "the terminal of a domain that ran");
      setAttributes(device, { tty: undefined });
    }
  }
};

/** A vhost-user card as libvirt has it; `after` is where the old description stood. */
export interface VhostUserCard {
  readonly mac?: string;
  readonly socket: string;
  readonly queues?: number;
  /** Offloads that were turned off, of the host's and the guest's side: `csum`, `tso4` ... */
  readonly off: { readonly host: readonly string[]; readonly guest: readonly string[] };
}

export function addVhostUser(devices: Element, { mac, socket, queues, off }: VhostUserCard): Element {
  const card = insertAfter(devices, "interface", children(devices, "interface").at(-1), { type: "vhostuser" });
  if (mac !== undefined) append(card, "mac", { address: mac });
  append(card, "source", { type: "unix", path: socket, mode: "client" });
  append(card, "model", { type: "virtio" });
  if (queues === undefined && off.host.length + off.guest.length === 0) return card;
  const driver = append(card, "driver", { queues });
  for (const [side, names] of Object.entries(off)) {
    if (names.length > 0) append(driver, side, Object.fromEntries(names.map((name) => [name, "off"])));
  }
  return card;
}
