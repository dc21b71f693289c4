/** A run on a terminal: what its figures cannot say, the medians of its cells, what failed. */
import { formatLevel } from "../../model/experiment/factors.js";
import { QUANTITIES } from "../../model/experiment/quantities.js";
import type { Run } from "../../model/experiment/run-folder.js";
import { formatTable } from "../../suites/report.js";
import { type Cell, cellsOf } from "../statistics/cells.js";

/** Trials that failed, of which the reasons are told. */
const MOST_TOLD = 10;

export interface RunSummary {
  readonly schemaVersion: 1;
  readonly run: string;
  readonly folder: string;
  readonly experiment: string;
  readonly planned: number;
  readonly measured: number;
  readonly failed: number;
  readonly unavailable: number;
  readonly stamp: readonly string[];
  readonly cells: readonly Cell[];
}

export function summariseRun(run: Run): RunSummary {
  const { folder, manifest, results } = run;
  const count = (status: string) => results.filter((result) => result.status === status).length;
  return {
    ...{ schemaVersion: 1, run: manifest.run, folder, experiment: manifest.experiment.name },
    ...{ planned: manifest.trials.length, measured: count("measured") },
    ...{ failed: count("failed"), unavailable: count("unavailable") },
    ...{ stamp: manifest.fitness.stamp, cells: cellsOf(run) },
  };
}

/** Every trial has a figure, or cannot have one here. */
export function isComplete(run: Run): boolean {
  const { planned, measured, unavailable } = summariseRun(run);
  return measured > 0 && measured + unavailable === planned;
}

export function formatRun(run: Run): string {
  const { planned, measured, failed, unavailable, stamp, cells } = summariseRun(run);
  const problems = run.results.filter(({ status }) => status === "failed");
  const told = problems.slice(0, MOST_TOLD).map(({ trial, problems: [first = ""] }) => `trial ${trial}: ${first}`);
  const more = problems.length > told.length ? [`and ${problems.length - told.length} more`] : [];
  const sums = `${measured} of ${planned} trials measured, ${failed} failed, ${unavailable} cannot be had here`;
  const parts = [stamp, formatTable(tableOf(run, cells)), [...told, ...more], [sums, `results: ${run.folder}`]];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join("\n"))
    .join("\n\n")}\n`;
}

function tableOf({ manifest: { experiment } }: Run, cells: readonly Cell[]): string[][] {
  const factors = experiment.factors.map(({ name }) => name);
  const quantities = experiment.quantities.filter((name) => cells.some((cell) => cell.quantities[name]));
  const place = (cell: Cell) =>
    experiment.factors.map(({ name, levels }) => String(levels.indexOf(cell.conditions[name])).padStart(4)).join();
  const rows = cells
    .filter(({ telemetry, quantities: had }) => !telemetry || Object.keys(had).length > 0)
    .toSorted((a, b) => place(a).localeCompare(place(b)))
    .map((cell) => [
      ...factors.map((name) => formatLevel(name, cell.conditions[name])),
      ...quantities.map((name) => amount(cell.quantities[name]?.median)),
      `${cell.measured}${cell.telemetry ? " (counters)" : ""}`,
    ]);
  return [
    [...factors, ...quantities.map((name) => `${QUANTITIES[name].title} (${QUANTITIES[name].unit})`), "trials"],
    ...rows,
  ];
}

function amount(value: number | undefined): string {
  if (value === undefined) return "-";
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
