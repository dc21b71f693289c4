/** A report as JUnit's XML, as CI servers read it. */
import { DOMImplementation, type Element, XMLSerializer } from "@xmldom/xmldom";
import type { CaseReport, SuiteReport } from "./report.js";

export function formatJunit(report: SuiteReport): string {
  const document = new DOMImplementation().createDocument(null, "testsuites", null);
  const add = (parent: Element, name: string, attributes: Readonly<Record<string, string | number>>): Element => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, readable(String(value)));
    parent.appendChild(element);
    return element;
  };
  const root = document.documentElement as Element;
  for (const [suite, cases] of bySuite(report.cases)) {
    const count = (status: CaseReport["status"]) => cases.filter((one) => one.status === status).length;
    const element = add(root, "testsuite", {
      ...{ name: `${report.lab}.${suite}`, timestamp: report.startedAt, tests: cases.length },
      ...{ failures: count("failed"), errors: count("blocked"), skipped: count("skipped") },
      time: cases.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3),
    });
    const properties = add(element, "properties", {});
    add(properties, "property", { name: "seed", value: report.seed });
    for (const one of cases) addCase(element, one, add);
  }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(document)}\n`;
}

type Add = (parent: Element, name: string, attributes: Readonly<Record<string, string | number>>) => Element;

function addCase(suite: Element, one: CaseReport, add: Add): void {
  const { id, from, to, round, seconds, status, message = "", artefacts } = one;
  const name = `${id} ${from} -> ${to}${round > 1 ? ` (round ${round})` : ""}`;
  const element = add(suite, "testcase", { classname: id.split(".")[0] ?? "", name, time: seconds.toFixed(3) });
  if (status === "failed") add(element, "failure", { message });
  if (status === "blocked") add(element, "error", { message: `blocked: ${message}` });
  if (status === "skipped") add(element, "skipped", { message });
  if (artefacts.length > 0) {
    const output = add(element, "system-out", {});
    output.appendChild(
      (output.ownerDocument as NonNullable<typeof output.ownerDocument>).createTextNode(artefacts.join("\n")),
    );
  }
}

function bySuite(cases: readonly CaseReport[]): Map<string, CaseReport[]> {
  const suites = new Map<string, CaseReport[]>();
  for (const one of cases) {
    const name = one.id.split(".")[0] ?? "";
    suites.set(name, [...(suites.get(name) ?? []), one]);
  }
  return suites;
}

/** XML 1.0 has no way to write most control characters. */
function readable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "?");
}
