import { median } from "simple-statistics";
import { expect, test } from "vitest";
import { randomOf } from "../../model/random.js";
import { CALM, makeExperiment, makeRun, makeTrials } from "../testing/make-run.js";
import { bootstrapInterval, coverageOf, medianInterval } from "./bootstrap.js";
import { type CellFigures, cellsOf } from "./cells.js";
import { modifiedZScores, standApart } from "./outliers.js";

test("modified z-scores are those of NIST's example of outliers", () => {
  // Worked out by numpy 2.4.6: 0.6745 * (x - median(x)) / median(|x - median(x)|).
  const values = [2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3];
  const expected = [-1.5738, 0.6745, -0.2248, 0.2248, -0.6745, -1.5738, -0.6745, 0.6745, 25.8558, 26.3055];
  modifiedZScores(values).forEach((score, i) => {
    expect(score).toBeCloseTo(expected[i] as number, 4);
  });
  expect(standApart(values).map(Number)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
});

test("one that differs from many equal ones stands apart; of fewer than five none does; equal ones do not", () => {
  expect(standApart([10, 10, 10, 10, 10, 10, 14])).toEqual([false, false, false, false, false, false, true]);
  expect(standApart([10, 10.1, 20])).toEqual([false, false, false]);
  expect(standApart([10, 10, 10, 10, 10])).toEqual([false, false, false, false, false]);
});

test("the bootstrap interval of a median is scipy's", () => {
  // scipy 1.17.1: bootstrap((values,), numpy.median, method="percentile", n_resamples=100000, rng=1) -> 9.9, 10.65
  const values = [10.2, 9.8, 10.9, 10.1, 9.5, 10.4, 11.3, 9.9, 10.0, 10.6];
  const { low, high } = medianInterval(values, randomOf(1));
  expect(low).toBeCloseTo(9.9, 1);
  expect(high).toBeCloseTo(10.65, 1);
  expect(medianInterval(values, randomOf(1))).toEqual({ low, high });
});

test("the bootstrap draws from each sample by itself", () => {
  const interval = bootstrapInterval(
    [
      [1, 1],
      [100, 100, 100],
    ],
    ([a = [], b = []]) => median([...b]) / median([...a]) + a.length + b.length,
    randomOf(1),
  );
  expect(interval).toEqual({ low: 105, high: 105 });
});

test("an interval of few values says how little it can cover", () => {
  expect([1, 2, 3, 5, 6, 10].map(coverageOf)).toEqual([0, 0.5, 0.75, 0.9375, 0.95, 0.95]);
});

test("the intervals of ten values cover the true median about as often as they say", () => {
  const random = randomOf(7);
  const runs = 400;
  let covered = 0;
  for (let i = 0; i < runs; i++) {
    const values = Array.from({ length: 10 }, () => Math.exp(random.part() + random.part() + random.part() - 1.5));
    const { low, high } = bootstrapInterval([values], ([drawn = []]) => median([...drawn]), random, { resamples: 400 });
    if (low <= 1 && 1 <= high) covered++;
  }
  // The percentile method is a little too sure of itself for so few.
  expect(covered / runs).toBeGreaterThan(0.89);
  expect(covered / runs).toBeLessThan(0.99);
});

const experiment = makeExperiment();
const trials = makeTrials(experiment);

test("a cell has the figures of its trials, each with its id, whatever the order in which they ran", () => {
  const run = makeRun({ experiment, trials, seed: 3, noise: CALM });
  const cells = cellsOf(run);
  expect(cells.map(({ cell }) => cell).toSorted()).toEqual([...new Set(trials.map(({ cell }) => cell))].toSorted());
  for (const { cell, planned, measured, failed, unavailable, missing, quantities } of cells) {
    expect({ planned, measured, failed, unavailable, missing }).toEqual({
      ...{ planned: 5, measured: 5, failed: [], unavailable: [], missing: [] },
    });
    const figures = quantities.requests_per_second as CellFigures;
    const own = run.results.filter((result) => result.cell === cell).toSorted((a, b) => a.repetition - b.repetition);
    expect(figures.values.map(({ trial, value }) => [trial, value])).toEqual(
      own.map(({ trial, values }) => [trial, values.requests_per_second]),
    );
    expect(figures.median).toBe(figures.values.map(({ value }) => value).toSorted((a, b) => a - b)[2]);
    expect(figures.interval?.low).toBeGreaterThanOrEqual(figures.least);
    expect(figures.interval?.high).toBeLessThanOrEqual(figures.most);
    expect(figures.coverage).toBe(0.9375);
    expect(quantities.goodput).toBeUndefined();
  }
  expect(cellsOf(run)).toEqual(cells);
});

test("failed, unavailable and missing trials are counted with their reasons, and an outlier stays", () => {
  const [first] = trials.toSorted((a, b) => a.repetition - b.repetition);
  const ofCell = trials
    .filter(({ cell }) => cell === first?.cell)
    .toSorted((a, b) => a.repetition - b.repetition)
    .map(({ id }) => id);
  const more = makeTrials(makeExperiment({ repetitions: 8 }));
  const run = makeRun({
    experiment,
    trials: more,
    seed: 3,
    noise: CALM,
    ends: ({ id }) => {
      if (id === ofCell[0]) return { status: "failed", values: {}, problems: ["the client ended with 1"] };
      if (id === ofCell[1]) return { status: "unavailable", values: {}, problems: ["a process has no kernel"] };
      if (id === ofCell[3]) return { values: { requests_per_second: 10 } };
      return undefined;
    },
  });
  const part = { ...run, results: run.results.filter(({ trial }) => trial !== ofCell[2]) };
  const cell = cellsOf(part).find((one) => one.cell === first?.cell);
  expect(cell).toMatchObject({
    ...{ planned: 8, measured: 5, missing: [ofCell[2]] },
    failed: [{ trial: ofCell[0], repetition: 1, reasons: ["the client ended with 1"] }],
    unavailable: [{ trial: ofCell[1], repetition: 2, reasons: ["a process has no kernel"] }],
  });
  const figures = cell?.quantities.requests_per_second as CellFigures;
  expect(figures.values.filter(({ outlier }) => outlier).map(({ trial }) => trial)).toEqual([ofCell[3]]);
  expect(figures).toMatchObject({ n: 5, least: 10 });
  expect(cell?.quantities.latency_p99?.n).toBe(4);
});

test("trials in which counters are read give no figures of speed", () => {
  const run = makeRun({ experiment, trials: trials.map((trial) => ({ ...trial, telemetry: true })), seed: 3 });
  const withSpeed = { ...run, results: run.results.map((one) => ({ ...one, values: { requests_per_second: 1 } })) };
  expect(cellsOf(withSpeed).flatMap(({ quantities }) => Object.keys(quantities))).toEqual([]);
});
