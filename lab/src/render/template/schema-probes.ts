/**
 * Where a domain breaks libvirt's schema. The validator says yes or no and, of a schema made of interleaves, hardly
 * more; so each part is put into a domain that is valid without it, and then each part of a faulty part is left out.
 */
import { DOMParser, type Document, type Element, XMLSerializer } from "@xmldom/xmldom";
import { children, isElement, show } from "./dom.js";

/** A document to validate, and what it tells about. */
export interface SchemaProbe {
  readonly xml: string;
  /** The element that is in it, or that (or whose attribute) is not in it. */
  readonly element: Element;
  readonly attribute?: string;
}

/** Without these a domain is never valid; they are what every probe stands on. */
const SKELETON = "<name>n</name><memory>1</memory><os><type>hvm</type></os>";
const OF_SKELETON = ["name", "memory", "os"];

/** One document for each child of the domain, and one for each device: the invalid ones have a fault in them. */
export function partProbes(root: Element): SchemaProbe[] {
  return children(root).flatMap((part) => {
    if (part.localName !== "devices") return [{ xml: around(root, part), element: part }];
    return children(part).map((device) => ({ xml: around(root, device, "devices"), element: device }));
  });
}

/** For a part at fault: one document for each attribute and each descendant, without it; the valid ones tell. */
export function faultProbes(root: Element, part: Element): SchemaProbe[] {
  const wrapper = part.parentNode === root ? undefined : "devices";
  return descendants(part).flatMap((element) => {
    const without = (edit: (copy: Element) => void) => {
      const copy = part.cloneNode(true) as Element;
      const target = at(copy, pathTo(part, element));
      edit(target);
      return around(root, copy, wrapper);
    };
    const attributes = Array.from(element.attributes).filter(({ name }) => !name.startsWith("xmlns"));
    return [
      ...attributes.map(({ name }) => ({
        element,
        attribute: name,
        xml: without((copy) => copy.removeAttribute(name)),
      })),
      ...(element === part ? [] : [{ element, xml: without((copy) => copy.parentNode?.removeChild(copy)) }]),
    ];
  });
}

/** What to say of a probe whose absence mends the part. */
export function describeFault({ element, attribute }: SchemaProbe): string {
  const parent = element.parentNode;
  const place = parent && isElement(parent) ? ` in <${parent.tagName}>` : "";
  if (attribute === undefined) return `${show(element)} is not allowed${place}, or has a value that is not`;
  return `${attribute}="${element.getAttribute(attribute)}" is not allowed in <${element.tagName}>, or not this value`;
}

function around(root: Element, part: Element, wrapper?: string): string {
  const document = new DOMParser().parseFromString(`<domain type="qemu">${SKELETON}</domain>`, "text/xml");
  const domain = document.documentElement as Element;
  for (const { name, value } of Array.from(root.attributes)) {
    if (name.startsWith("xmlns")) domain.setAttribute(name, value);
  }
  if (wrapper === undefined && OF_SKELETON.includes(part.localName ?? "")) {
    for (const old of children(domain, part.localName ?? "")) domain.removeChild(old);
  }
  const parent = wrapper === undefined ? domain : domain.appendChild(document.createElement(wrapper));
  parent.appendChild((document as Document).importNode(part, true));
  return new XMLSerializer().serializeToString(document);
}

/** The element itself and all below it, the deepest last. */
function descendants(element: Element): Element[] {
  return [element, ...children(element).flatMap(descendants)];
}

function pathTo(from: Element, to: Element): number[] {
  const path: number[] = [];
  for (let element = to; element !== from; element = element.parentNode as Element) {
    path.unshift(children(element.parentNode as Element).indexOf(element));
  }
  return path;
}

function at(element: Element, path: readonly number[]): Element {
  return path.reduce((parent, index) => children(parent)[index] as Element, element);
}
