/** `vnflab template`: looks at a domain template, and mends one of another host or year, without starting anything. */
import { dirname, resolve } from "node:path";
import { checkTemplate, type TemplateReport, templateFacts } from "../drivers/libvirt/check-template.js";
import type { Host } from "../host/host.js";
import { VnflabError } from "../model/error.js";
import type { TemplateChange } from "../render/template/editor.js";
import { migrateTemplate } from "../render/template/migrate-template.js";

export type { TemplateChange, TemplateReport };

export interface MigratedTemplate {
  readonly file: string;
  readonly changes: readonly TemplateChange[];
  readonly xml: string;
  /** The result as a lab would use it. */
  readonly report: TemplateReport;
}

export async function lintTemplate(host: Host, file: string): Promise<TemplateReport> {
  const path = resolve(file);
  return checkTemplate(host, path, await read(host, path));
}

/** Nothing is written unless `out` is given; the report says what the result still has wrong. */
export async function migrateFile(host: Host, file: string, out?: string): Promise<MigratedTemplate> {
  const path = resolve(file);
  const text = await read(host, path);
  const { xml, changes } = migrateTemplate(path, text, await templateFacts(host, path, text));
  const target = out === undefined ? path : resolve(out);
  const report = await checkTemplate(host, target, moved(xml, path, target));
  if (out !== undefined) await host.files.write(target, xml);
  return { file: target, changes, xml, report };
}

/** Relative paths begin at the template: one that moves to another folder would lose its disks. */
function moved(xml: string, from: string, to: string): string {
  const relative = /<source file=["'](?!\/)([^"']+)["']/.exec(xml)?.[1];
  if (relative === undefined || dirname(from) === dirname(to)) return xml;
  throw new VnflabError("VNF_USAGE", `${from} names ${relative}, relative to its folder; ${to} is in another one`, {
    hint: `Write the result beside it: -o ${dirname(from)}/NAME.xml`,
  });
}

async function read(host: Host, path: string): Promise<string> {
  const text = await host.files.readText(path);
  if (text === undefined) throw new VnflabError("VNF_TEMPLATE_INVALID", `there is no template ${path}`);
  return text;
}
