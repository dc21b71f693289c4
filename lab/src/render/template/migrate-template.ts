/** `vnflab template migrate`: a domain of another host or year -> a template. Pure; the host's facts are given. */
import { children, find, textOf } from "./dom.js";
import { DomainEditor, type TemplateChange, type TemplateFacts } from "./editor.js";
import { RULES } from "./rules/registry.js";

export interface Migrated {
  readonly xml: string;
  /** In the order of lines. Empty: there was nothing to do, and `xml` is the text as it was. */
  readonly changes: readonly TemplateChange[];
}

/** Doing it again changes nothing. */
export function migrateTemplate(file: string, text: string, facts: TemplateFacts): Migrated {
  const editor = new DomainEditor(file, text);
  for (const rule of RULES) rule(editor, facts);
  const changes = editor.changes.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
  return { xml: changes.length === 0 ? text : editor.toString(), changes };
}

/** Absolute paths that a domain names, so that somebody can look which are there. */
export function pathsIn(file: string, text: string): string[] {
  const { root } = new DomainEditor(file, text);
  const devices = find(root, "devices");
  const sources = ["disk", "filesystem"].flatMap((name) =>
    (devices ? children(devices, name) : []).flatMap((device) => {
      const source = find(device, "source");
      return ["file", "dev", "dir"].map((attribute) => source?.getAttribute(attribute) ?? "");
    }),
  );
  const os = find(root, "os");
  const boot = (os ? children(os) : []).flatMap((element) => [textOf(element), element.getAttribute("template") ?? ""]);
  return [...new Set([...sources, ...boot].filter((path) => path.startsWith("/")))];
}
