/** The table on the terminal. */
import type { RowResult } from "./measure.js";

/** 1234567 as 1.235 M, 12345 as 12.35 k. */
export function human(value: number | null): string {
  if (value === null || Number.isNaN(value)) return "-";
  const [unit, size] = value >= 1e6 ? [" M", 1e6] : value >= 1e4 ? [" k", 1e3] : ["", 1];
  return `${Number((value / size).toPrecision(4))}${unit}`;
}

const HEAD = ["row", "unit", "ours", "kernel", "ratio", "spread", "runs", "p50/p99/p99.9 us ours", "kernel"];

function latency(row: RowResult, side: string): string {
  const all = row.latencyUs?.[side];
  return all ? [all.p50, all.p99, all.p999].map((us) => Number(us.toPrecision(3))).join("/") : "-";
}

function cells(row: RowResult): string[] {
  const { name, unit, ours, kernel, ratio, spread, runs } = row;
  const share = (value: number | null, digits: number) => (value === null ? "-" : value.toFixed(digits));
  return [
    ...[name, unit, human(ours), human(kernel), share(ratio, 2), share(spread, 2), String(runs)],
    ...[latency(row, "ours"), latency(row, "kernel")],
  ];
}

export function table(rows: readonly RowResult[]): string {
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const pad = (cell: string, column: number) =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return `${lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n")}\n`;
}
