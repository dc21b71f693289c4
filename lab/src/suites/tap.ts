/** A report in the Test Anything Protocol, version 14. */
import type { CaseReport, SuiteReport } from "./report.js";

export function formatTap(report: SuiteReport): string {
  const { cases, lab, seed } = report;
  const lines = cases.flatMap((one, index) => [testLine(one, index + 1), ...diagnostics(one)]);
  return `${["TAP version 14", `# lab ${lab}, seed ${seed}`, `1..${cases.length}`, ...lines].join("\n")}\n`;
}

function testLine({ id, from, to, round, status, message = "" }: CaseReport, number: number): string {
  const title = escaped(`${id} ${from} -> ${to}${round > 1 ? ` (round ${round})` : ""}`);
  const reason = escaped(message.replaceAll(/[\s\p{Cc}]+/gu, " "));
  switch (status) {
    case "passed":
      return `ok ${number} - ${title}`;
    case "failed":
      return `not ok ${number} - ${title}`;
    case "skipped":
      return `ok ${number} - ${title} # SKIP ${reason}`;
    // There is no word for it in TAP: it did not pass, and nobody knows whether it would.
    case "blocked":
      return `not ok ${number} - ${title} (blocked: ${reason})`;
  }
}

/** YAML, of which JSON is a part. */
function diagnostics({ status, message, seconds, figures, artefacts }: CaseReport): string[] {
  const known = { status, duration_ms: Math.round(seconds * 1000), message, figures, artefacts };
  const fields = Object.entries(known).filter(([, value]) => value !== undefined);
  return ["  ---", ...fields.map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`), "  ..."];
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("#", "\\#");
}
