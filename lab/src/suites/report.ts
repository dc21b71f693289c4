/** The result of a run of the suites: plain data, the same as --json prints. */
import type { Figures } from "./case.js";

export type CaseStatus = "passed" | "failed" | "skipped" | "blocked";

export interface CaseReport {
  readonly id: string;
  readonly title: string;
  readonly from: string;
  readonly to: string;
  /** Of the repetitions, from 1 on. */
  readonly round: number;
  /** Skipped: it says nothing about such machines. Blocked: what it needs was not there. */
  readonly status: CaseStatus;
  readonly seconds: number;
  readonly figures: Figures;
  /** Why it failed, was skipped or was blocked. */
  readonly message?: string;
  /** Files that show how it failed. */
  readonly artefacts: readonly string[];
}

export interface SuiteReport {
  readonly schemaVersion: 1;
  readonly lab: string;
  readonly startedAt: string;
  /** Cores were shared that should not be: the figures are not comparable. */
  readonly oversubscribed: boolean;
  /** With the same one the cases make the same choices. */
  readonly seed: number;
  readonly rounds: number;
  /** Folder of report.json and the artefacts. */
  readonly folder: string;
  readonly cases: readonly CaseReport[];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly blocked: number;
}

/** A run that tested nothing is no success, and neither is one that could not test all. */
export function isSuccess({ passed, failed, blocked }: SuiteReport): boolean {
  return passed > 0 && failed === 0 && blocked === 0;
}

/** Everything was skipped: nothing is known, neither good nor bad. */
export function nothingTested({ passed, failed, blocked }: SuiteReport): boolean {
  return passed + failed + blocked === 0;
}

const COLUMNS = ["case", "from", "to", "result", "sent", "received", "verified", "rate", "time"];

export function formatReport(report: SuiteReport): string {
  const rows = report.cases.map(({ id, from, to, status, figures, seconds }) => [
    id,
    from,
    to,
    status,
    amount(figures, "sent"),
    amount(figures, "received") || amount(figures, "completed"),
    verified(figures),
    rate(figures),
    `${seconds.toFixed(1)} s`,
  ]);
  const messages = report.cases.flatMap(({ id, from, to, status, message, artefacts }) =>
    message === undefined
      ? []
      : [`${id} ${from} -> ${to} ${status}: ${message}`, ...artefacts.map((file) => `  see ${file}`)],
  );
  const note = report.oversubscribed ? ["oversubscribed: figures not comparable"] : [];
  const { passed, failed, skipped, blocked } = report;
  const sums = `${passed} passed, ${failed} failed, ${skipped} skipped, ${blocked} blocked; seed ${report.seed}`;
  return `${[...formatTable([COLUMNS, ...rows]), "", ...messages, ...note, sums].join("\n")}\n`;
}

/** Columns as wide as their widest cell. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function amount(figures: Figures, what: string): string {
  for (const unit of ["datagrams", "requests", "bytes"]) {
    const value = figures[`${unit}_${what}`];
    if (typeof value === "number") return `${value} ${unit}`;
  }
  return "";
}

function verified({ verified, sha256 }: Figures): string {
  if (typeof sha256 === "string") return `sha256 ${sha256.slice(0, 8)} ${verified ? "equal" : "DIFFERS"}`;
  if (typeof verified === "boolean") return verified ? "yes" : "NO";
  return "";
}

function rate(figures: Figures): string {
  const parts = [
    typeof figures.rps === "number" ? `${figures.rps.toFixed(0)} requests/s` : "",
    typeof figures.pps === "number" ? `${figures.pps.toFixed(0)} datagrams/s` : "",
    typeof figures.gbps === "number" ? `${figures.gbps.toFixed(3)} Gbit/s` : "",
  ];
  return parts.filter(Boolean).join(", ");
}
