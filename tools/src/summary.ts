/** `node summary.js REPORT...`: the closing line of a test run; exit code 1 when something failed or was skipped unexpectedly. */
import { existsSync, readFileSync } from "node:fs";
import { expectedSkips, type Tally, tallyReport, unexpectedSkips } from "./tally.js";

const tally: Tally = { passed: 0, failed: [], skipped: [] };
for (const path of process.argv.slice(2)) {
  if (existsSync(path)) tallyReport(readFileSync(path, "utf8"), tally);
  else tally.failed.push(`${path} was not written`);
}
const unexpected = unexpectedSkips(tally, expectedSkips(readFileSync("tools/expected-skips.txt", "utf8")));
for (const name of tally.failed) process.stdout.write(`failed: ${name}\n`);
for (const name of tally.skipped)
  process.stdout.write(`skipped${unexpected.includes(name) ? " unexpectedly" : ""}: ${name}\n`);
process.stdout.write(`${tally.passed} passed, ${tally.failed.length} failed, ${tally.skipped.length} skipped\n`);
process.exitCode = tally.failed.length + unexpected.length > 0 ? 1 : 0;
