/** What `vnflab test --json` prints, as far as the scenarios look at it. */
import { z } from "zod";

const caseReport = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  status: z.enum(["passed", "failed", "skipped", "blocked"]),
  seconds: z.number(),
  figures: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  message: z.string().optional(),
  artefacts: z.array(z.string()),
});

const suiteReport = z.object({
  schemaVersion: z.literal(1),
  lab: z.string(),
  folder: z.string(),
  cases: z.array(caseReport),
  passed: z.number(),
  failed: z.number(),
  skipped: z.number(),
  blocked: z.number(),
  seed: z.number(),
});

export type SuiteReport = z.output<typeof suiteReport>;

export function parseReport(text: string): SuiteReport {
  return suiteReport.parse(JSON.parse(text));
}

/** What failed or was blocked, in words; empty when nothing did. */
export function failures(report: SuiteReport): string[] {
  return report.cases
    .filter(({ status }) => status === "failed" || status === "blocked")
    .map(({ id, from, to, status, message }) => `${id} ${from} -> ${to} ${status}: ${message}`);
}

/** Suites of which a case was skipped. */
export function skippedSuites(report: SuiteReport): string[] {
  const skipped = report.cases.filter(({ status }) => status === "skipped");
  return [...new Set(skipped.map(({ id }) => id.split(".")[0] ?? ""))];
}
