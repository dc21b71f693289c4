/** What a domain's XML says of the things on which figures depend. Pure; for the asked and the running domain alike. */
import type { Element } from "@xmldom/xmldom";
import { children, find, parseXml, textOf } from "./template/dom.js";

export interface EffectiveDomain {
  readonly vcpus: number;
  readonly memoryMib: number;
  /** Another process can map the guest's memory, as vhost-user must. */
  readonly sharedMemory: boolean;
  /** `vcpu 0 on 2-3`, and the emulator's threads. */
  readonly pins: readonly string[];
  /** The vhost-user interfaces, in order. */
  readonly nics: readonly { readonly mac: string; readonly queues: number; readonly offloads: string }[];
}

const MIB_OF: Readonly<Record<string, number>> = { b: 2 ** -20, bytes: 2 ** -20, KiB: 2 ** -10, MiB: 1, GiB: 1024 };

/** `file` is for messages. Throws VNF_TEMPLATE_INVALID for what is no XML. */
export function readDomain(file: string, xml: string): EffectiveDomain {
  const { root } = parseXml(file, xml);
  const memory = find(root, "memory");
  const unit = MIB_OF[memory?.getAttribute("unit") ?? "KiB"] ?? Number.NaN;
  return {
    vcpus: Number(textOf(find(root, "vcpu"))),
    memoryMib: Number(textOf(memory)) * unit,
    sharedMemory: isShared(root),
    pins: pinsOf(root),
    nics: nicsOf(root),
  };
}

/**
 * Files that the domain boots from and that stay as they are: kernel, initial RAM disk, read-only disks, and the images
 * that lie below a writable layer. Throws VNF_TEMPLATE_INVALID for what is no XML.
 */
export function imagesOf(file: string, xml: string): string[] {
  const { root } = parseXml(file, xml);
  const devices = find(root, "devices");
  const disks = devices ? children(devices, "disk") : [];
  const files = disks
    .flatMap((disk) => [...(find(disk, "readonly") ? [disk] : []), ...layersBelow(disk)])
    .map(sourceOf);
  const boot = [find(root, "os", "kernel"), find(root, "os", "initrd")].map(textOf);
  return [...boot, ...files].filter((path) => path !== "");
}

function layersBelow(layer: Element): Element[] {
  const below = find(layer, "backingStore");
  return below ? [below, ...layersBelow(below)] : [];
}

function sourceOf(layer: Element): string {
  return find(layer, "source")?.getAttribute("file") ?? "";
}

/** The switch's sockets that the domain's NICs connect to. Throws VNF_TEMPLATE_INVALID for what is no XML. */
export function switchSocketsOf(file: string, xml: string): string[] {
  const sources = vhostUserNics(parseXml(file, xml).root).map((nic) => find(nic, "source"));
  return sources.flatMap((source) => source?.getAttribute("path") || []);
}

/** What differs, one line each, as "what: seen, asked for asked"; none when the domain is as asked. */
export function differences(asked: EffectiveDomain, seen: EffectiveDomain): string[] {
  const compare = (what: string, a: unknown, b: unknown) => (a === b ? [] : [`${what}: ${b}, asked for ${a}`]);
  const nics = asked.nics.flatMap((nic, index) => {
    const other = seen.nics[index];
    const name = `NIC ${nic.mac}`;
    return [
      ...compare(`${name} MAC`, nic.mac, other?.mac ?? "none"),
      ...compare(`${name} queues`, nic.queues, other?.queues ?? 0),
      ...compare(`${name} offloads`, nic.offloads, other?.offloads ?? "none"),
    ];
  });
  return [
    ...compare("virtual CPUs", asked.vcpus, seen.vcpus),
    ...compare("memory (MiB)", asked.memoryMib, seen.memoryMib),
    ...compare("shared memory", asked.sharedMemory, seen.sharedMemory),
    ...compare("pinning", asked.pins.join(", ") || "none", seen.pins.join(", ") || "none"),
    ...compare("NICs", asked.nics.length, seen.nics.length),
    ...nics,
  ];
}

function isShared(root: Element): boolean {
  if (find(root, "memoryBacking", "access")?.getAttribute("mode") === "shared") return true;
  const numa = find(root, "cpu", "numa");
  const cells = numa ? children(numa, "cell") : [];
  return cells.length > 0 && cells.every((cell) => cell.getAttribute("memAccess") === "shared");
}

function pinsOf(root: Element): string[] {
  const tune = find(root, "cputune");
  if (!tune) return [];
  const vcpus = children(tune, "vcpupin").map(
    (pin) => `vcpu ${pin.getAttribute("vcpu")} on ${pin.getAttribute("cpuset")}`,
  );
  const emulator = children(tune, "emulatorpin").map((pin) => `emulator on ${pin.getAttribute("cpuset")}`);
  return [...vcpus, ...emulator].sort();
}

function vhostUserNics(root: Element): Element[] {
  const devices = find(root, "devices");
  const interfaces = devices ? children(devices, "interface") : [];
  return interfaces.filter((nic) => nic.getAttribute("type") === "vhostuser");
}

function nicsOf(root: Element): EffectiveDomain["nics"] {
  return vhostUserNics(root).map((nic) => {
    const driver = find(nic, "driver");
    return {
      mac: (find(nic, "mac")?.getAttribute("address") ?? "").toLowerCase(),
      queues: Number(driver?.getAttribute("queues") || 1),
      offloads: (driver ? children(driver) : []).map(attributesOf).sort().join("; ") || "as the machine has them",
    };
  });
}

/** `host csum=off tso4=off`. */
function attributesOf(element: Element): string {
  const attributes = Array.from(element.attributes, ({ name, value }) => `${name}=${value}`);
  return [element.localName ?? "", ...attributes.sort()].join(" ");
}
