import { expect, it } from "vitest";
import { expectedSkips, type Tally, tallyReport, unexpectedSkips } from "./tally.js";

const report = `<testsuites><testsuite name="s">
  <testcase classname="a" name="one"/>
  <testcase classname="a" name="two"><failure message="no"/></testcase>
  <testcase classname="b" name="three"><skipped/></testcase>
  <testcase classname="b" name="four"><error/></testcase>
</testsuite></testsuites>`;

function tally(): Tally {
  const sum: Tally = { passed: 0, failed: [], skipped: [] };
  tallyReport(report, sum);
  return sum;
}

it("counts passed, failed and skipped cases", () => {
  expect(tally()).toEqual({ passed: 1, failed: ["a: two", "b: four"], skipped: ["b: three"] });
});

it("tells expected skips from others", () => {
  expect(unexpectedSkips(tally(), expectedSkips("# none\n"))).toEqual(["b: three"]);
  expect(unexpectedSkips(tally(), expectedSkips("^b: three$  # needs root\n"))).toEqual([]);
});
