/** What a run says of each cell: figures of its repetitions, and what became of those that gave none. */
import { median } from "simple-statistics";
import type { Conditions, Levels } from "../../model/experiment/experiment.js";
import { QUANTITIES, type QuantityName } from "../../model/experiment/quantities.js";
import type { Run, TrialResult } from "../../model/experiment/run-folder.js";
import type { Setup, Trial } from "../../model/experiment/trial.js";
import { randomOf } from "../../model/random.js";
import { type BootstrapOptions, coverageOf, type Interval, medianInterval } from "./bootstrap.js";
import { groupBy } from "./group-by.js";
import { standApart } from "./outliers.js";

export interface CellValue {
  readonly trial: string;
  readonly repetition: number;
  /** In the quantity's unit. */
  readonly value: number;
  /** Stands apart from its cell; it counts all the same. */
  readonly outlier: boolean;
}

/** Of one quantity in one cell. */
export interface CellFigures {
  readonly n: number;
  /** By repetition. */
  readonly values: readonly CellValue[];
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Bootstrap interval of the median; absent of fewer than two values. */
  readonly interval?: Interval;
  /** How surely that interval can hold the true median at best: 0.95, or less with fewer than six values. */
  readonly coverage: number;
}

/** A trial without figures. */
export interface WithoutFigures {
  readonly trial: string;
  readonly repetition: number;
  readonly reasons: readonly string[];
}

export interface Cell {
  readonly cell: string;
  /** Those that vary. */
  readonly levels: Levels;
  readonly conditions: Conditions;
  readonly setup: Setup;
  readonly telemetry: boolean;
  /** Trials that were planned. */
  readonly planned: number;
  readonly measured: number;
  readonly failed: readonly WithoutFigures[];
  readonly unavailable: readonly WithoutFigures[];
  /** Planned, but not (yet) run. */
  readonly missing: readonly string[];
  readonly quantities: Readonly<Partial<Record<QuantityName, CellFigures>>>;
}

/** All cells in the order of the plan. The same run gives the same figures, intervals included. */
export function cellsOf(run: Run, options: BootstrapOptions = {}): Cell[] {
  const { seed } = run.manifest.experiment;
  const results = new Map(run.results.map((result) => [result.trial, result]));
  return [...groupBy(run.manifest.trials, (trial) => trial.cell).values()].map((trials) =>
    cellOf(
      trials.toSorted((a, b) => a.repetition - b.repetition),
      results,
      (values, cell, quantity) => medianInterval(values, randomOf(seed, cell, quantity), options),
    ),
  );
}

type IntervalOf = (values: readonly number[], cell: string, quantity: QuantityName) => Interval;

function cellOf(trials: readonly Trial[], results: ReadonlyMap<string, TrialResult>, intervalOf: IntervalOf): Cell {
  const [first] = trials as [Trial];
  const found = trials.flatMap((trial) => results.get(trial.id) ?? []);
  const measured = found.filter(({ status }) => status === "measured");
  return {
    cell: first.cell,
    levels: first.levels,
    conditions: first.conditions,
    setup: first.setup,
    telemetry: first.telemetry,
    planned: trials.length,
    measured: measured.length,
    failed: withoutFigures(found, "failed"),
    unavailable: withoutFigures(found, "unavailable"),
    missing: trials.filter(({ id }) => !results.has(id)).map(({ id }) => id),
    quantities: Object.fromEntries(
      quantityNames
        .filter((name) => QUANTITIES[name].telemetry === first.telemetry)
        .map((name) => [name, figuresOf(name, measured, intervalOf)] as const)
        .filter(([, figures]) => figures !== undefined),
    ),
  };
}

const quantityNames = Object.keys(QUANTITIES) as QuantityName[];

function withoutFigures(results: readonly TrialResult[], status: TrialResult["status"]): WithoutFigures[] {
  return results
    .filter((result) => result.status === status)
    .map(({ trial, repetition, problems }) => ({ trial, repetition, reasons: problems }));
}

function figuresOf(
  name: QuantityName,
  results: readonly TrialResult[],
  intervalOf: IntervalOf,
): CellFigures | undefined {
  const with_ = results.flatMap(({ trial, cell, repetition, values }) => {
    const value = values[name];
    return value === undefined ? [] : [{ trial, cell, repetition, value }];
  });
  const [first] = with_;
  if (!first) return undefined;
  const values = with_.map(({ value }) => value);
  const apart = standApart(values);
  return {
    n: values.length,
    values: with_.map(({ trial, repetition, value }, i) => ({ trial, repetition, value, outlier: apart[i] === true })),
    median: median(values),
    least: Math.min(...values),
    most: Math.max(...values),
    ...(values.length > 1 ? { interval: intervalOf(values, first.cell, name) } : {}),
    coverage: coverageOf(values.length),
  };
}
