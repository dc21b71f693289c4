/** Sums the JUnit reports of all test runners and compares the skips with those that are expected. */
import { DOMParser } from "@xmldom/xmldom";

export interface Tally {
  passed: number;
  failed: string[];
  skipped: string[];
}

/** Adds the cases of one JUnit report. */
export function tallyReport(xml: string, tally: Tally): void {
  const cases = new DOMParser().parseFromString(xml, "text/xml").getElementsByTagName("testcase");
  for (let index = 0; index < cases.length; index += 1) {
    const item = cases.item(index);
    if (item === null) continue;
    const name = `${item.getAttribute("classname") ?? ""}: ${item.getAttribute("name") ?? ""}`;
    if (item.getElementsByTagName("failure").length + item.getElementsByTagName("error").length > 0)
      tally.failed.push(name);
    else if (item.getElementsByTagName("skipped").length > 0) tally.skipped.push(name);
    else tally.passed += 1;
  }
}

/** Patterns of the list of expected skips: one regular expression a line, `#` begins a comment. */
export function expectedSkips(text: string): RegExp[] {
  return text
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "")
    .map((line) => new RegExp(line));
}

/** Skips that nobody expects: each is a failure of the run. */
export function unexpectedSkips(tally: Tally, expected: readonly RegExp[]): string[] {
  return tally.skipped.filter((name) => !expected.some((pattern) => pattern.test(name)));
}
