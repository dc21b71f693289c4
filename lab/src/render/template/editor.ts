/** A domain that is being changed, and the list of what was changed and why. */
import { type Document, type Element, XMLSerializer } from "@xmldom/xmldom";
import { VnflabError } from "../../model/error.js";
import { parseXml, removeFrom, show } from "./dom.js";

export interface TemplateChange {
  /** Line of the text as it was read; absent for what was not there. */
  readonly line?: number;
  readonly what: string;
  readonly why: string;
  /** What only the user can know. */
  readonly decide?: string;
}

/** What the host has; found out by whoever may look at it. */
export interface TemplateFacts {
  /** QEMU's path on this host. */
  readonly emulator: string;
  /** Names that `-machine help` gives, aliases included. */
  readonly machineTypes: readonly string[];
  /** Of the absolute paths in the template those that are there. */
  readonly presentFiles: ReadonlySet<string>;
}

export class DomainEditor {
  readonly document: Document;
  readonly root: Element;
  readonly changes: TemplateChange[] = [];

  constructor(
    readonly file: string,
    text: string,
  ) {
    const { document, root } = parseXml(file, text);
    if (root.tagName !== "domain") {
      throw new VnflabError(
        "VNF_TEMPLATE_INVALID",
        `${file}:${root.lineNumber ?? 1}: <${root.tagName}> is no <domain>`,
      );
    }
    this.document = document;
    this.root = root;
  }

  note(at: Element | undefined, what: string, why: string, decide?: string): void {
    const line = at?.lineNumber;
    const entry = { ...(line ? { line } : {}), what, why, ...(decide === undefined ? {} : { decide }) };
    const same = this.changes.some((known) => known.what === what && known.line === entry.line);
    if (!same) this.changes.push(entry);
  }

  /** Takes an element away and says so. */
  drop(element: Element, why: string, decide?: string): void {
    this.note(element, `${show(element)} removed`, why, decide);
    removeFrom(element);
  }

  error(at: Element, message: string, hint?: string): VnflabError {
    const place = `${this.file}:${at.lineNumber ?? "?"}: <${at.tagName}>`;
    return new VnflabError("VNF_TEMPLATE_INVALID", `${place}: ${message}`, hint === undefined ? {} : { hint });
  }

  toString(): string {
    return `${new XMLSerializer().serializeToString(this.document).trimEnd()}\n`;
  }
}
