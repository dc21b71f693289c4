/** `<qemu:commandline>`: QEMU's own arguments, and reading what they say. */
import type { Element } from "@xmldom/xmldom";
import { children, closeUp, remove } from "./dom.js";
import type { DomainEditor } from "./editor.js";

const QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0";

/** One option with its value, if it has one, and the elements that hold them. */
export interface QemuOption {
  /** Without the leading minus signs. */
  readonly name: string;
  readonly value: string;
  /** `vhost-user` of `type=vhost-user,id=n1`, and `n1` as property id. */
  readonly kind: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly elements: readonly Element[];
}

export function qemuCommandline(editor: DomainEditor): Element | undefined {
  return children(editor.root, "commandline").find(({ namespaceURI }) => namespaceURI === QEMU_NAMESPACE);
}

export function readQemuOptions(commandline: Element): QemuOption[] {
  const options: QemuOption[] = [];
  const args = children(commandline, "arg");
  for (let at = 0; at < args.length; at++) {
    const element = args[at] as Element;
    const name = argumentOf(element).replace(/^--?/, "");
    const next = args[at + 1];
    const hasValue = next !== undefined && !argumentOf(next).startsWith("-");
    if (hasValue) at++;
    const value = hasValue ? argumentOf(next) : "";
    options.push({ name, value, ...readProperties(value), elements: hasValue ? [element, next] : [element] });
  }
  return options;
}

function argumentOf(element: Element): string {
  return element.getAttribute("value") ?? "";
}

/** `socket,id=c,path=/x` -> kind socket, properties id and path. A doubled comma stands for one. */
function readProperties(text: string): Pick<QemuOption, "kind" | "properties"> {
  const parts = text.replaceAll(",,", "\u0000").split(",");
  const pairs = parts.map((part, index): [string, string] => {
    const [name = "", ...rest] = part.replaceAll("\u0000", ",").split("=");
    return index === 0 && rest.length === 0 ? ["", name] : [name, rest.length === 0 ? "on" : rest.join("=")];
  });
  const properties = Object.fromEntries(pairs.filter(([name]) => name !== ""));
  const kind =
    pairs[0]?.[0] === "" ? pairs[0][1] : (properties.type ?? properties.driver ?? properties["qom-type"] ?? "");
  return { kind, properties };
}

/** Takes options away, and the whole element when nothing is left in it. */
export function dropOptions(editor: DomainEditor, options: readonly QemuOption[], why: string, decide?: string): void {
  for (const { name, value, elements } of options) {
    editor.note(elements[0], `QEMU's -${name}${value === "" ? "" : ` ${value}`} removed`, why, decide);
    for (const element of elements) remove(element);
  }
  const commandline = qemuCommandline(editor);
  if (!commandline || children(commandline).length > 0) return;
  closeUp(commandline);
  remove(commandline);
  for (const { name, value } of Array.from(editor.root.attributes)) {
    if (name.startsWith("xmlns:") && value === QEMU_NAMESPACE) editor.root.removeAttribute(name);
  }
}
