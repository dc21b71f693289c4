/** The tables that a report has in all its forms. A number keeps its value, so that a page can sort by it. */
import type { Report, ReportCell } from "./report.js";
import { formatNumber } from "./words.js";

/** What stands in it, and what it is sorted by; a number stands to the right. */
export interface TableCell {
  readonly text: string;
  readonly by?: number;
}

export interface Table {
  readonly id: string;
  readonly caption: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly TableCell[])[];
}

const text = (words: string): TableCell => ({ text: words });
const number = (value: number | undefined): TableCell =>
  value === undefined ? text("") : { text: formatNumber(value), by: value };

/** A row for each cell and quantity. */
export function cellTable(report: Report): Table {
  const names = new Map(report.quantities.map(({ name, title, unit }) => [name, { title, unit }]));
  const rows = report.cells.flatMap((cell) =>
    cell.figures.map((figures) => {
      const { title = figures.quantity, unit = "" } = names.get(figures.quantity) ?? {};
      return [
        ...[text(cell.label), text(title), number(figures.median), text(unit)],
        ...[number(figures.interval?.low), number(figures.interval?.high), number(figures.n)],
        ...[number(figures.toKernel?.ratio), text(intervalOf(figures.toKernel)), text(outliersOf(figures))],
      ];
    }),
  );
  return {
    id: "cells",
    caption:
      "Medians of each cell with the 95 % interval of the median (of fewer than six trials it is less sure); n trials.",
    heads: [
      "cell",
      "quantity",
      "median",
      "unit",
      "low",
      "high",
      "n",
      "times the kernel",
      "95 % interval",
      "stand apart",
    ],
    rows,
  };
}

function intervalOf(ratio: { low: number; high: number } | undefined): string {
  return ratio ? `${formatNumber(ratio.low)} to ${formatNumber(ratio.high)}` : "";
}

/** Trials that are pointed at, by their repetition and id. */
function outliersOf({ values }: ReportCell["figures"][number]): string {
  const apart = values.filter(({ outlier }) => outlier);
  return apart
    .map(({ repetition, trial, value }) => `${formatNumber(value)} (repetition ${repetition}, ${trial})`)
    .join("; ");
}

export function problemTable({ problems }: Report): Table {
  return {
    id: "problems",
    caption: "Trials without figures.",
    heads: ["cell", "repetition", "status", "reasons", "trial"],
    rows: problems.map(({ label, repetition, status, reasons, trial }) => [
      ...[text(label), number(repetition), text(status), text(reasons.join("; ")), text(trial)],
    ]),
  };
}

export function expectationTable({ expectations }: Report): Table {
  return {
    id: "expectations",
    caption: "What should be seen if the theses and papers are right, judged on the medians.",
    heads: ["verdict", "expected", "because"],
    rows: expectations.map(({ verdict, says, reason }) => [text(VERDICTS[verdict]), text(says), text(reason)]),
  };
}

export const VERDICTS = { agrees: "agrees", differs: "differs", "cannot-tell": "cannot tell" } as const;

export function publishedTable(published: Report["published"][number], index: number): Table {
  return {
    id: `published-${index + 1}`,
    caption: `${published.source}, ${published.where} (${published.setup}). Compared in shape only: each as a part of its own largest.`,
    heads: ["cell", `published (${published.unit})`, "part of its largest", "ours", "part of our largest"],
    rows: published.points.map((point) => [
      ...[
        text(point.label),
        number(point.published),
        number(point.publishedShare),
        number(point.ours),
        number(point.oursShare),
      ],
    ]),
  };
}

export function factTable(id: string, caption: string, facts: Report["host"]): Table {
  return { id, caption, heads: ["what", "as it was"], rows: facts.map(({ name, value }) => [text(name), text(value)]) };
}

/** One sentence of what was expected: `2 agree, 1 differs, 1 cannot be told`. */
export function verdictWords({ expectations }: Report): string {
  if (expectations.length === 0) return "The experiment expects nothing.";
  const count = (verdict: string) => expectations.filter((one) => one.verdict === verdict).length;
  return `Of ${expectations.length} expectations ${count("agrees")} agree, ${count("differs")} differ, ${count("cannot-tell")} cannot be told.`;
}

export function trialWords({ trials }: Report): string {
  const { planned, measured, failed, unavailable, missing } = trials;
  return `${planned} trials: ${measured} measured, ${failed} failed, ${unavailable} not to be had here, ${missing} not run yet.`;
}
