/** A run, its cells and what was judged of them -> a report, as plain data. Pure: the same run gives the same report. */
import type { Experiment } from "../../model/experiment/experiment.js";
import { FACTORS } from "../../model/experiment/factors.js";
import { QUANTITIES, type QuantityName } from "../../model/experiment/quantities.js";
import type { Run } from "../../model/experiment/run-folder.js";
import { randomOf } from "../../model/random.js";
import type { Cell, CellFigures } from "../statistics/cells.js";
import type { Comparison } from "../statistics/comparison.js";
import type { Judgement } from "../statistics/expectations.js";
import type { PublishedComparison } from "../statistics/published.js";
import { ratioOf } from "../statistics/ratio.js";
import { figureData } from "./figure-data.js";
import { kernelTwin } from "./kernel-ratio.js";
import { levelOrder, sortedBy } from "./level-order.js";
import type { Report, ReportCell, ReportFigure } from "./report.js";
import { runFacts } from "./run-facts.js";
import { labelOf } from "./words.js";

/** What has been judged of a run; each expectation and each published figure once. */
export interface Judgements {
  readonly expectations: readonly Judgement[];
  readonly published: readonly PublishedComparison[];
}

export function buildReport(run: Run, cells: readonly Cell[], judgements: Judgements): Report {
  const { manifest } = run;
  const { experiment, fitness } = manifest;
  const varied = experiment.factors.map(({ name }) => name);
  const inOrder = sortedBy(cells, varied, levelOrder(experiment));
  return {
    schemaVersion: 1,
    ...{ run: manifest.run, createdAt: manifest.createdAt, experiment: experiment.name },
    ...{ title: experiment.title, question: experiment.question, machines: experiment.machines },
    stamp: [...fitness.stamp],
    checks: fitness.checks.map(({ name, ok, detail }) => ({ name, ok, detail })),
    trials: tally(run),
    expectations: judgements.expectations.map(expectationOf),
    quantities: experiment.quantities.map(quantityOf),
    factors: experiment.factors.map(({ name, levels }) => ({
      ...{ name, title: FACTORS[name].title, unit: FACTORS[name].unit },
      levels: [...levels],
    })),
    fixed: { ...experiment.fixed },
    ...{ repetitions: experiment.repetitions, warmupS: experiment.warmupS, durationS: experiment.durationS },
    seed: experiment.seed,
    figures: figuresOf(experiment, cells),
    cells: inOrder.map((cell) => cellOf(cell, cells, experiment.seed)),
    problems: problemsOf(run),
    published: judgements.published.map(publishedOf),
    ...runFacts(run),
  };
}

function tally({ manifest, results }: Run): Report["trials"] {
  const ended = (status: string) => results.filter((result) => result.status === status).length;
  return {
    planned: manifest.trials.length,
    ...{ measured: ended("measured"), failed: ended("failed"), unavailable: ended("unavailable") },
    missing: manifest.trials.length - results.length,
  };
}

function quantityOf(name: QuantityName): Report["quantities"][number] {
  const { title, unit, definition, place, formula, better } = QUANTITIES[name];
  return { name, title, unit, definition, place, formula, better };
}

/**
 * Files are named by their ids: numbered, so that two figures of one title have two names. A figure of which the run has
 * no cell, because it measures a part of its experiment, is left out.
 */
function figuresOf(experiment: Experiment, cells: readonly Cell[]): ReportFigure[] {
  const figures = experiment.figures.map((figure, i) => ({
    id: [
      i + 1,
      ...(figure.title
        .toLowerCase()
        .match(/[a-z0-9]+/g)
        ?.slice(0, 8) ?? []),
    ]
      .join("-")
      .slice(0, 60),
    ...figureData(experiment, figure, cells),
  }));
  return figures.filter(({ points, absent }) => points.length + absent.length > 0);
}

function cellOf(cell: Cell, all: readonly Cell[], seed: number): ReportCell {
  const twin = kernelTwin(cell, all);
  const quantities = Object.entries(cell.quantities) as [QuantityName, CellFigures][];
  return {
    ...{ cell: cell.cell, label: labelOf(cell.levels), levels: { ...cell.levels }, telemetry: cell.telemetry },
    ...{ planned: cell.planned, measured: cell.measured },
    figures: quantities.map(([quantity, figures]) => {
      const { n, median, interval, coverage, values } = figures;
      const kernel = twin?.quantities[quantity];
      return {
        ...{ quantity, n, median, coverage },
        ...(interval ? { interval: { ...interval } } : {}),
        values: values.map((value) => ({ ...value })),
        ...(twin && kernel ? { toKernel: { cell: twin.cell, ...toKernel(figures, kernel, seed, cell.cell) } } : {}),
      };
    }),
  };
}

function toKernel(ours: CellFigures, kernel: CellFigures, seed: number, name: string) {
  const [of, to] = [ours, kernel].map(({ values }) => values.map(({ value }) => value)) as [number[], number[]];
  const { value, interval } = ratioOf(of, to, randomOf(seed, name, "to the kernel"));
  return { ratio: value, ...interval };
}

function expectationOf({ name, says, verdict, reason, comparisons }: Judgement): Report["expectations"][number] {
  return { name, says, verdict, reason, comparisons: comparisons.map(comparisonOf) };
}

function comparisonOf({ what, wanted, detail, holds }: Comparison) {
  return { what, wanted, detail, holds };
}

/** Machines differ, shapes can be compared: each figure as a part of the largest beside it. */
function publishedOf(one: PublishedComparison): Report["published"][number] {
  const { source, where, setup, quantity, unit, verdict, reason, points, comparisons } = one;
  const largest = Math.max(...points.map(({ published }) => published));
  const ourLargest = Math.max(...points.map(({ ours }) => ours ?? 0));
  return {
    ...{ source, where, setup, quantity, unit, verdict, reason },
    points: points.map(({ levels, published, ours }) => ({
      ...{ levels: { ...levels }, label: labelOf(levels), published, publishedShare: published / largest },
      ...(ours === undefined ? {} : { ours, oursShare: ours / ourLargest }),
    })),
    comparisons: comparisons.map(comparisonOf),
  };
}

function problemsOf({ results }: Run): Report["problems"] {
  return results.flatMap(({ trial, cell, levels, repetition, status, problems }) =>
    status === "measured"
      ? []
      : [
          {
            trial,
            cell,
            label: labelOf(levels),
            repetition,
            status,
            reasons: problems.length > 0 ? [...problems] : ["no reason was given"],
          },
        ],
  );
}
