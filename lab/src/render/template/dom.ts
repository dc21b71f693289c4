/** The few things that templates need of the DOM, so that an edited file still looks as if a person had written it. */
import { DOMParser, type Document, type Element, type Node } from "@xmldom/xmldom";
import { VnflabError } from "../../model/error.js";

/** Throws VNF_TEMPLATE_INVALID, with the line, for what is not well-formed. */
export function parseXml(file: string, text: string): { document: Document; root: Element } {
  const refuse = (_level: string, message: string): never => {
    throw new VnflabError("VNF_TEMPLATE_INVALID", `${file}: not well-formed XML: ${message.split("\n")[0]}`);
  };
  try {
    const document = new DOMParser({ onError: refuse }).parseFromString(text, "text/xml");
    const root = document.documentElement;
    if (!root) throw new VnflabError("VNF_TEMPLATE_INVALID", `${file}: no element in it`);
    return { document, root };
  } catch (error) {
    if (error instanceof VnflabError) throw error;
    return refuse("fatalError", error instanceof Error ? error.message : String(error));
  }
}

function childNodes(element: Element): Node[] {
  return Array.from(element.childNodes) as Node[];
}

export function isElement(node: Node | null): node is Element {
  return node !== null && node.nodeType === node.ELEMENT_NODE;
}

/** Child elements, of one name or all. */
export function children(element: Element, name?: string): Element[] {
  return childNodes(element).filter((node): node is Element => {
    return isElement(node) && (name === undefined || node.localName === name);
  });
}

/** The element at a path of names, first of each; undefined when a step is missing. */
export function find(element: Element, ...path: string[]): Element | undefined {
  let at: Element | undefined = element;
  for (const name of path) at = at && children(at, name)[0];
  return at;
}

export function textOf(element: Element | undefined): string {
  return element?.textContent?.trim() ?? "";
}

/** Takes a node away, with the white space that stood before it. */
export function remove(node: Node): void {
  const before = node.previousSibling;
  if (before && isBlank(before)) before.parentNode?.removeChild(before);
  node.parentNode?.removeChild(node);
}

/** Takes an element away, and the lines within its parent when nothing is left there. */
export function removeFrom(element: Element): void {
  const parent = element.parentNode;
  remove(element);
  if (isElement(parent)) closeUp(parent);
}

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Sets attributes; an undefined one is taken away. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, String(value));
  }
}

/** A new last child, indented as its siblings are. */
export function append(parent: Element, name: string, attributes: Attributes = {}, text?: string): Element {
  const element = make(parent, name, attributes, text);
  const outer = indentOf(parent);
  const last = parent.lastChild;
  if (last && isBlank(last)) parent.removeChild(last);
  parent.appendChild(newText(parent, `${outer}  `));
  parent.appendChild(element);
  parent.appendChild(newText(parent, outer));
  return element;
}

/** A new child right after one of its siblings; the last when there is none such. */
export function insertAfter(
  parent: Element,
  name: string,
  sibling: Element | undefined,
  attributes: Attributes = {},
  text?: string,
): Element {
  if (sibling === undefined) return append(parent, name, attributes, text);
  const element = make(parent, name, attributes, text);
  const next = sibling.nextSibling;
  parent.insertBefore(newText(parent, `${indentOf(parent)}  `), next);
  parent.insertBefore(element, next);
  return element;
}

function make(parent: Element, name: string, attributes: Attributes, text: string | undefined): Element {
  const document = parent.ownerDocument as Document;
  const element = parent.namespaceURI
    ? document.createElementNS(parent.namespaceURI, name)
    : document.createElement(name);
  setAttributes(element, attributes);
  if (text !== undefined) element.appendChild(newText(parent, text));
  return element;
}

function newText(near: Element, text: string): Node {
  return (near.ownerDocument as Document).createTextNode(text);
}

/** The child of that name, made when it is missing. */
export function ensure(parent: Element, name: string): Element {
  return children(parent, name)[0] ?? append(parent, name);
}

/** An element without children needs no lines of its own. */
export function closeUp(element: Element): void {
  if (children(element).length > 0 || childNodes(element).some((node) => !isBlank(node))) return;
  for (const node of childNodes(element)) element.removeChild(node);
}

/** `<disk type="file" device="cdrom">`: enough to find it again. */
export function show(element: Element): string {
  const attributes = Array.from(element.attributes).filter(({ name }) => !name.startsWith("xmlns"));
  return `<${[element.tagName, ...attributes.map(({ name, value }) => `${name}="${value}"`)].join(" ")}>`;
}

function indentOf(element: Element): string {
  const before = element.previousSibling;
  if (before && isBlank(before)) return `\n${(before.nodeValue ?? "").split("\n").at(-1)}`;
  let depth = 0;
  for (let at = element.parentNode; at && isElement(at); at = at.parentNode) depth++;
  return `\n${"  ".repeat(depth)}`;
}

function isBlank(node: Node): boolean {
  return node.nodeType === node.TEXT_NODE && (node.nodeValue ?? "").trim() === "";
}
