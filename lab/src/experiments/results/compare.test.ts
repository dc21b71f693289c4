import { describe, expect, test } from "vitest";
import type { Conditions } from "../../model/experiment/experiment.js";
import type { Run } from "../../model/experiment/run-folder.js";
import { makeExperiment, makeRun, makeTrials, SHARED_HOST } from "../testing/make-run.js";
import { compareRuns } from "./compare.js";

const byRepetitions = (repetitions: number) => {
  const experiment = makeExperiment({ repetitions });
  return { experiment, trials: makeTrials(experiment) };
};

const made = (seed: number, repetitions = 5, speed = 1, where = (_: Conditions) => true): Run =>
  makeRun({
    ...byRepetitions(repetitions),
    ...{ seed, noise: SHARED_HOST, name: `run-${seed}` },
    speed: (conditions) => conditions.workers * (where(conditions) ? speed : 1),
  });

test("a run compared with itself shows no difference at all", () => {
  const run = made(1);
  const compared = compareRuns(run, run);
  expect(compared).toMatchObject({
    ...{ worse: false, better: false, changed: false, lost: [], notCompared: [], warnings: [] },
  });
  for (const { ratio, interval, corrected, flag } of [...compared.quantities, ...compared.cells]) {
    expect({ ratio, corrected, flag }).toEqual({ ratio: 1, corrected: 1, flag: "none" });
    expect(interval.low).toBeLessThanOrEqual(1);
    expect(interval.high).toBeGreaterThanOrEqual(1);
  }
});

test.each([
  3, 5, 10,
])("%d repetitions: what is a fifth slower is flagged, with an interval that holds it", (repetitions) => {
  const compared = compareRuns(made(1, repetitions), made(2, repetitions, 0.8));
  expect(compared).toMatchObject({ worse: true, better: false });
  const [requests, latency] = compared.quantities;
  expect(requests).toMatchObject({ quantity: "requests_per_second", cells: 6, flag: "worse" });
  expect(requests?.interval.low).toBeLessThanOrEqual(0.8);
  expect(requests?.interval.high).toBeGreaterThanOrEqual(0.8);
  // Slower means longer: what should be low has risen by a quarter.
  expect(latency).toMatchObject({ quantity: "latency_p99", flag: "worse" });
  expect(latency?.interval.low).toBeLessThanOrEqual(1.25);
  expect(latency?.interval.high).toBeGreaterThanOrEqual(1.25);
  const back = compareRuns(made(2, repetitions, 0.8), made(1, repetitions));
  expect(back).toMatchObject({ worse: false, better: true });
});

test("one cell that is slower is found by itself, where there are enough repetitions", () => {
  const isSlow = ({ workers, distribution }: Conditions) => workers === 2 && distribution === "shared";
  const { cells } = compareRuns(made(1, 10), made(2, 10, 0.7, isSlow));
  const flagged = cells.filter(({ flag }) => flag === "worse");
  expect(flagged.map(({ levels, quantity }) => ({ ...levels, quantity }))).toEqual([
    { distribution: "shared", workers: 2, quantity: "requests_per_second" },
    { distribution: "shared", workers: 2, quantity: "latency_p99" },
  ]);
  expect(flagged[0]?.cliffsDelta).toBeLessThan(-0.8);
  expect(flagged[0]?.typicalRatio).toBeCloseTo(0.7, 1);
  expect(flagged[0]).toMatchObject({ n: [10, 10], coverage: 0.95 });
  // Three of each side can never show it: their least p is 0.1.
  const few = compareRuns(made(1, 3), made(2, 3, 0.7, isSlow)).cells;
  expect(few).toHaveLength(12);
  for (const { leastP, flag } of few)
    expect({ leastP: leastP.toFixed(3), flag }).toEqual({ leastP: "0.100", flag: "none" });
});

test("a difference that is less than the least effect is not flagged, and says so", () => {
  const { quantities, worse } = compareRuns(made(1, 10), made(2, 10, 0.95), { leastEffect: 0.1 });
  expect(quantities[0]).toMatchObject({ flag: "none", because: "less than 10.0 %" });
  expect(quantities[0]?.corrected).toBeLessThan(0.025);
  expect(worse).toBe(false);
});

test("nor is one that is no larger than what a run moved by itself while it was made", () => {
  // One setup, so that no cell stands in one part of the run alone.
  const experiment = makeExperiment({ factors: [{ name: "payload", levels: [64, 256, 1024] }], repetitions: 20 });
  const trials = makeTrials(experiment);
  const run = (seed: number, pace: (behind: number) => number) => makeRun({ experiment, trials, seed, pace });
  const steady = run(1, () => 1);
  const moving = run(2, (behind) => (behind < 0.5 ? 1 : 0.8));
  const [requests] = compareRuns(steady, moving).quantities;
  expect(requests?.corrected).toBeLessThan(0.025);
  expect(requests).toMatchObject({ flag: "none", because: expect.stringMatching(/^a run moved by [12]\d\.\d % /) });
  expect(requests?.drift[0]).toBeLessThan(0.05);
});

test("cells are found by their conditions; what is on one side only, or has no figures, is told", () => {
  const { experiment, trials } = byRepetitions(5);
  const other = makeExperiment({
    ...{ name: "other", fixed: { workload: "rpc", distribution: "shared" } },
    factors: [{ name: "workers", levels: [1, 2, 8] }],
  });
  const b = makeRun({
    ...{ experiment: other, trials: makeTrials(other), seed: 2 },
    ends: ({ conditions }) =>
      conditions.workers === 2 ? { status: "failed", values: {}, problems: ["the client ended with 1"] } : undefined,
  });
  const compared = compareRuns(makeRun({ experiment, trials, seed: 1 }), b);
  expect(compared.lost).toEqual([{ levels: { distribution: "shared", workers: 2 }, why: "the client ended with 1" }]);
  expect(compared.worse).toBe(true);
  expect(compared.notCompared).toContainEqual({ levels: { distribution: "shared", workers: 4 }, why: "only in A" });
  expect(compared.notCompared).toContainEqual({ levels: { workers: 8 }, why: "only in B" });
  expect(compared.warnings).toEqual(["experiment: made in A, other in B"]);
  // One cell is the whole: it is not tested twice.
  expect(compared.quantities[0]).toMatchObject({ cells: 1 });
  expect(compared.cells).toEqual([]);
});

test("runs that have nothing in common are refused", () => {
  const { experiment, trials } = byRepetitions(3);
  const other = makeExperiment({ fixed: { workload: "udp" }, quantities: ["goodput"] });
  const run = makeRun({ experiment: other, trials: makeTrials(other), seed: 2, name: "other" });
  expect(() => compareRuns(makeRun({ experiment, trials, seed: 1 }), run)).toThrow(
    expect.objectContaining({ code: "VNF_RUNS_DIFFER", message: "made and other have no measured cell in common" }),
  );
});

test("figures that came to nothing are worse, not a division by zero", () => {
  const { experiment, trials } = byRepetitions(5);
  const a = makeRun({ experiment, trials, seed: 1 });
  const b = makeRun({ experiment, trials, seed: 2, ends: () => ({ values: { requests_per_second: 0 } }) });
  const [requests] = compareRuns(a, b).quantities;
  expect(requests).toMatchObject({ ratio: 0, interval: { low: 0, high: 0 }, flag: "worse" });
});

test("hosts and durations that differ, and what a host cannot tell, are warned of", () => {
  const [a, b] = [made(1), made(2)];
  const manifest = {
    ...b.manifest,
    host: { ...b.manifest.host, cpu: "another" },
    experiment: { ...b.manifest.experiment, durationS: 9 },
    fitness: { ...b.manifest.fitness, stamp: ["no latency: steal of 5 %"] },
  };
  expect(compareRuns(a, { ...b, manifest }).warnings).toEqual([
    "seconds of a trial: 2 in A, 9 in B",
    "CPU: a test in A, another in B",
    "host: no latency: steal of 5 %",
  ]);
});

/** Seeds are fixed: what is found here is found each time. The noise is a shared host's: see make-run.ts. */
describe.each([3, 5, 10])("%d repetitions", (repetitions) => {
  test("of 100 pairs of runs that do not differ fewer than 5 are flagged, without any least effect", () => {
    const wrong = Array.from({ length: 100 }, (_, i) =>
      compareRuns(made(1000 + 2 * i, repetitions), made(1001 + 2 * i, repetitions), { leastEffect: 0, resamples: 200 }),
    ).filter(({ worse, better }) => worse || better);
    expect(wrong.length).toBeLessThan(5);
  });

  test("of 20 that are a fifth slower all are flagged", () => {
    const found = Array.from({ length: 20 }, (_, i) =>
      compareRuns(made(3000 + 2 * i, repetitions), made(3001 + 2 * i, repetitions, 0.8), { resamples: 200 }),
    ).filter(({ worse }) => worse);
    expect(found).toHaveLength(20);
  });
});
