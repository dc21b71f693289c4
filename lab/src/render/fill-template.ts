/**
 * Fills an XML template in the DOM, so that no value can change the structure. Format: vm-templates/README.md.
 *
 * Placeholders stand alone: `{{path}}` is a whole attribute value or a whole element text. Everything that is not
 * understood is an error with the line: a template is never half filled.
 */
import { type Attr, type Element, type Node, XMLSerializer } from "@xmldom/xmldom";
import { VnflabError } from "../model/error.js";
import { didYouMean } from "../model/suggest.js";
import { parseXml } from "./template/dom.js";

export type TemplateScalar = string | number | boolean | undefined;
export type TemplateValues = Readonly<
  Record<string, TemplateScalar | readonly Readonly<Record<string, TemplateScalar>>[]>
>;

export interface Template {
  /** Where it comes from, for messages. */
  readonly file: string;
  readonly text: string;
  /** Names that must be used; a template without them cannot work. */
  readonly required?: readonly string[];
}

const NAMESPACE = "urn:vnflab:template";
const PLACEHOLDER = /^\{\{\s*([A-Za-z][\w.]*)\s*\}\}$/;

export function fillTemplate(template: Template, values: TemplateValues): string {
  return serialise(fillDocument(template, values));
}

/** The filled document's root; its elements still know the lines of the template. */
export function fillDocument(template: Template, values: TemplateValues): Element {
  const { root } = parseXml(template.file, template.text);
  const filler = new Filler(template.file, values);
  filler.element(root, {});
  const missing = (template.required ?? []).find((name) => !filler.used.has(name));
  if (missing !== undefined) {
    throw new VnflabError("VNF_TEMPLATE_INVALID", `${template.file}: the placeholder {{${missing}}} is missing`);
  }
  root.removeAttribute("xmlns:vnflab");
  return root;
}

export function serialise(root: Element): string {
  return `${new XMLSerializer().serializeToString(root)}\n`;
}

/** A template either has placeholders, or it is a domain as libvirt knows it. */
export function hasPlaceholders(text: string): boolean {
  return text.includes(NAMESPACE) || /\{\{\s*[A-Za-z]/.test(text);
}

class Filler {
  readonly used = new Set<string>();

  constructor(
    private readonly file: string,
    private readonly values: TemplateValues,
  ) {}

  /** `scope` holds `item` inside a repeated element. */
  element(element: Element, scope: TemplateValues): void {
    const condition = take(element, "if");
    if (condition !== undefined && !this.isThere(condition, scope, element)) {
      element.parentNode?.removeChild(element);
      return;
    }
    const list = take(element, "each");
    if (list === undefined) this.fill(element, scope);
    else this.repeat(element, list);
  }

  private repeat(element: Element, path: string): void {
    const members = this.lookUp(path, {}, element);
    if (members !== undefined && !Array.isArray(members)) throw this.error(element, `${path} is not a list`);
    for (const member of members ?? []) {
      const copy = element.cloneNode(true) as Element;
      element.parentNode?.insertBefore(copy, element);
      this.fill(copy, member);
    }
    element.parentNode?.removeChild(element);
  }

  private fill(element: Element, scope: TemplateValues): void {
    for (const attribute of Array.from(element.attributes) as Attr[]) {
      attribute.value = this.text(attribute.value, scope, element);
    }
    for (const child of Array.from(element.childNodes) as Node[]) {
      if (child.nodeType === child.ELEMENT_NODE) this.element(child as Element, scope);
      else if (child.nodeType === child.TEXT_NODE) child.nodeValue = this.text(child.nodeValue ?? "", scope, element);
    }
  }

  private text(text: string, scope: TemplateValues, at: Element): string {
    if (!text.includes("{{")) return text;
    const path = PLACEHOLDER.exec(text.trim())?.[1];
    if (path === undefined) throw this.error(at, `"${text.trim()}": a placeholder stands alone, {{name}}`);
    const value = this.lookUp(path, scope, at);
    if (value === undefined || typeof value === "object") throw this.error(at, `{{${path}}} has no value`);
    return checkCharacters(String(value), (message) => this.error(at, `{{${path}}} ${message}`));
  }

  private isThere(path: string, scope: TemplateValues, at: Element): boolean {
    const value = this.lookUp(path, scope, at);
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false && value !== "";
  }

  /** A key that is there without a value is known, and optional; one that is not there is a mistake. */
  private lookUp(path: string, scope: TemplateValues, at: Element): TemplateValues[string] {
    const inItem = path.startsWith("item.");
    const [name, values] = inItem ? [path.slice("item.".length), scope] : [path, this.values];
    if (!Object.hasOwn(values, name)) {
      const known = Object.keys(values);
      throw this.error(at, `unknown placeholder {{${path}}}${didYouMean(name, known)}; known: ${known.join(", ")}`);
    }
    this.used.add(path);
    return values[name];
  }

  private error(at: Element, message: string): VnflabError {
    return new VnflabError("VNF_TEMPLATE_INVALID", `${this.file}:${at.lineNumber ?? "?"}: <${at.tagName}>: ${message}`);
  }
}

/** Takes a control attribute away and returns its value. */
function take(element: Element, name: string): string | undefined {
  const value = element.getAttributeNS(NAMESPACE, name);
  element.removeAttributeNS(NAMESPACE, name);
  return value ?? undefined;
}

/** What XML 1.0 cannot carry, escaped or not. */
function checkCharacters(value: string, error: (message: string) => Error): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(value)) {
    throw error("has a value with a control character, which XML cannot carry");
  }
  return value;
}
