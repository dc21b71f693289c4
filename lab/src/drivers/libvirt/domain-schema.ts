/** A domain against libvirt's own schema, by xmllint; faults with the line of the template that they come from. */
import { join } from "node:path";
import { type Element, XMLSerializer } from "@xmldom/xmldom";
import type { Host } from "../../host/host.js";
import { resolveLayout } from "../../host/layout.js";
import { VnflabError } from "../../model/error.js";
import { show } from "../../render/template/dom.js";
import { describeFault, faultProbes, partProbes, type SchemaProbe } from "../../render/template/schema-probes.js";

const SCHEMA = "/usr/share/libvirt/schemas/domain.rng";
const XMLLINT = "xmllint";
const MAX_COMPLAINTS = 10;

export interface SchemaFault {
  /** Line of the template; absent when the lab itself put it there, or when nobody can tell. */
  readonly line?: number;
  readonly message: string;
}

/** Undefined when this host has nothing to check with: then libvirt itself says so when the domain is defined. */
export async function findSchemaFaults(host: Host, root: Element): Promise<SchemaFault[] | undefined> {
  const absent = (await host.exec.which(XMLLINT)) === undefined || (await host.files.kind(SCHEMA)) !== "file";
  if (absent) return undefined;
  const validator = new Validator(host);
  const [whole] = await validator.validate([new XMLSerializer().serializeToString(root)]);
  if (whole === undefined || whole.valid) return [];
  const faults = await locate(validator, root);
  return faults.length > 0 ? faults : [{ message: whole.complaints.join("; ") }];
}

/** Throws VNF_TEMPLATE_SCHEMA. */
export async function checkSchema(host: Host, file: string, root: Element): Promise<void> {
  const faults = await findSchemaFaults(host, root);
  if (!faults || faults.length === 0) return;
  const lines = faults.map(({ line, message }) => `${file}${line === undefined ? "" : `:${line}`}: ${message}`);
  throw new VnflabError("VNF_TEMPLATE_SCHEMA", lines.join("\n"));
}

async function locate(validator: Validator, root: Element): Promise<SchemaFault[]> {
  const parts = partProbes(root);
  const verdicts = await validator.validate(parts.map(({ xml }) => xml));
  const faulty = parts.filter((_, index) => verdicts[index]?.valid === false);
  const faults: SchemaFault[] = [];
  for (const { element } of faulty.slice(0, MAX_COMPLAINTS)) faults.push(await insidePart(validator, root, element));
  return faults;
}

/** The smallest thing whose absence makes the part valid. */
async function insidePart(validator: Validator, root: Element, part: Element): Promise<SchemaFault> {
  const probes = faultProbes(root, part);
  const verdicts = await validator.validate(probes.map(({ xml }) => xml));
  const mending = probes.filter((_, index) => verdicts[index]?.valid === true);
  const smallest = mending.toSorted((a, b) => weight(a) - weight(b))[0];
  if (smallest) return { ...lineOf(smallest.element), message: describeFault(smallest) };
  return { ...lineOf(part), message: `${show(part)} is not allowed here, or lacks something` };
}

/** An attribute is smaller than any element, a deep element smaller than the one around it. */
function weight({ element, attribute, xml }: SchemaProbe): number {
  return (attribute === undefined ? 1_000_000 : 0) + element.toString().length - xml.length / 1e9;
}

function lineOf(element: Element): { line?: number } {
  return element.lineNumber ? { line: element.lineNumber } : {};
}

interface Verdict {
  readonly valid: boolean;
  readonly complaints: readonly string[];
}

class Validator {
  constructor(private readonly host: Host) {}

  /** One run for all documents: reading the schema is most of the work. */
  async validate(documents: readonly string[]): Promise<Verdict[]> {
    if (documents.length === 0) return [];
    const { files, exec } = this.host;
    const { cacheDir } = await resolveLayout(this.host);
    const folder = join(cacheDir, `schema-${(await exec.self()).pid}-${Math.round(this.host.clock.now() * 1000)}`);
    try {
      const paths = documents.map((_, index) => join(folder, `${index}.xml`));
      for (const [index, path] of paths.entries()) await files.write(path, documents[index] ?? "");
      const { stderr } = await exec.run([XMLLINT, "--noout", "--nonet", "--relaxng", SCHEMA, ...paths]);
      const lines = stderr.split("\n");
      return paths.map((path) => ({
        valid: lines.includes(`${path} validates`),
        complaints: lines.filter((line) => line.startsWith(`${path}:`)).map((line) => line.slice(path.length + 1)),
      }));
    } finally {
      await files.remove(folder);
    }
  }
}
