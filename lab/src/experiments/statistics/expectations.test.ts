import { expect, test } from "vitest";
import type { Conditions, Expectation, Published } from "../../model/experiment/experiment.js";
import type { Fitness } from "../../model/experiment/run-folder.js";
import { CALM, type MakeRun, makeExperiment, makeRun, makeTrials } from "../testing/make-run.js";
import { cellsOf } from "./cells.js";
import { type Judgement, judgeExpectations } from "./expectations.js";
import { comparePublished, type PublishedComparison } from "./published.js";

const about = {
  name: "it",
  says: "It is so.",
  quantity: "requests_per_second",
  where: { workload: "rpc" },
  needs: ["ratio"],
} as const;

function judge(expectation: Expectation, more: Partial<MakeRun> = {}, repetitions = 6): Judgement {
  const experiment = makeExperiment({ expected: [expectation], repetitions });
  const run = makeRun({ experiment, trials: makeTrials(experiment), seed: 12, noise: CALM, ...more });
  const [judgement] = judgeExpectations(run, cellsOf(run));
  return judgement as Judgement;
}

/** Speed by distribution alone: what every cell of the other factors shows. */
const byDistribution =
  (speeds: Partial<Record<Conditions["distribution"], number>>) =>
  ({ distribution }: Conditions) =>
    speeds[distribution] ?? 1;

const ratio: Expectation = {
  ...about,
  kind: "ratio",
  of: { distribution: "shared" },
  to: { distribution: "direct" },
  least: 1.2,
};

test.each([
  ["agrees", 1.5],
  ["differs", 1],
  ["cannot-tell", 1.2],
] as const)("a ratio that should be 1.2 %s when it is %d", (verdict, shared) => {
  const judgement = judge(ratio, { speed: byDistribution({ shared }) });
  expect(judgement).toMatchObject({ name: "it", says: "It is so.", kind: "ratio", verdict });
  // One for each number of workers.
  expect(judgement.comparisons.map(({ what }) => what).toSorted()).toEqual(
    [1, 2, 4].map((workers) => `distribution=shared / distribution=direct (workers=${workers})`),
  );
  for (const { ratio, interval, wanted, n } of judgement.comparisons) {
    expect(wanted).toBe("at least 1.2");
    expect(n).toEqual([6, 6]);
    expect((ratio as number) / shared).toBeCloseTo(1, 1);
    expect(interval?.low).toBeLessThanOrEqual(ratio as number);
  }
  expect(judgement.reason).toContain(judgement.comparisons[0]?.detail.slice(0, 4));
});

test("one cell that is otherwise is enough to differ", () => {
  const speed = ({ distribution, workers }: Conditions) => (distribution === "shared" && workers < 4 ? 2 : 1);
  const judgement = judge(ratio, { speed });
  expect(judgement.verdict).toBe("differs");
  expect(judgement.reason).toContain(
    "1 of 3 comparisons are not: distribution=shared / distribution=direct (workers=4)",
  );
});

test("a ratio with two bounds", () => {
  expect(judge({ ...ratio, least: 0.9, most: 1.1 }, { speed: () => 1 }).verdict).toBe("agrees");
  expect(judge({ ...ratio, least: 0.9, most: 1.1 }, { speed: byDistribution({ shared: 1.5 }) }).verdict).toBe(
    "differs",
  );
});

test("an order, largest first, within its tolerance", () => {
  const order: Expectation = {
    ...about,
    kind: "order",
    by: "distribution",
    order: ["shared", "direct"],
    tolerance: 0.1,
  };
  expect(judge(order, { speed: byDistribution({ shared: 2 }) }).verdict).toBe("agrees");
  expect(judge(order, { speed: () => 1 }).verdict).toBe("agrees");
  expect(judge(order, { speed: byDistribution({ direct: 2 }) }).verdict).toBe("differs");
  expect(judge(order, { speed: byDistribution({ direct: 1.1 }) }).verdict).toBe("cannot-tell");
});

test("a trend that grows, falls or is flat", () => {
  const trend = (direction: "grows" | "falls" | "flat"): Expectation => ({
    ...{ ...about, kind: "trend", along: "workers", direction, tolerance: 0.1 },
  });
  const speeds = { grows: (workers: number) => workers, falls: (workers: number) => 1 / workers, flat: () => 1 };
  const verdicts = (direction: "grows" | "falls" | "flat") =>
    Object.values(speeds).map((speed) => judge(trend(direction), { speed: ({ workers }) => speed(workers) }).verdict);
  // What is flat is, within the tolerance, no less and no more than the step before.
  expect(verdicts("grows")).toEqual(["agrees", "differs", "agrees"]);
  expect(verdicts("falls")).toEqual(["differs", "agrees", "agrees"]);
  expect(verdicts("flat")).toEqual(["differs", "differs", "agrees"]);
});

test("what drifts a little at each step is not flat", () => {
  const flat: Expectation = { ...about, kind: "trend", along: "workers", direction: "flat", tolerance: 0.1 };
  const slow = ({ workers }: Conditions) => ({ 1: 1, 2: 1.07, 4: 1.19 })[workers] ?? 1;
  expect(judge(flat, { speed: slow, noise: { ...CALM, sigma: 0.005 } }).verdict).toBe("differs");
});

test("a saturation: from there on nothing is gained, for what should be low as well", () => {
  const saturation: Expectation = { ...about, kind: "saturation", along: "workers", from: 2, tolerance: 0.1 };
  const upTo =
    (most: number) =>
    ({ workers }: Conditions) =>
      Math.min(workers, most);
  expect(judge(saturation, { speed: upTo(2) }).verdict).toBe("agrees");
  expect(judge(saturation, { speed: upTo(4) }).verdict).toBe("differs");
  // The latency of a test's run falls as its speed grows.
  expect(judge({ ...saturation, quantity: "latency_p99" }, { speed: upTo(2) }).verdict).toBe("agrees");
  expect(judge({ ...saturation, quantity: "latency_p99" }, { speed: upTo(4) }).verdict).toBe("differs");
});

const unfit: Fitness = {
  checks: [
    { name: "cores", ok: false, detail: "2 cores for 8 busy threads", forbids: ["scaling"] },
    { name: "noise", ok: true, detail: "calm", forbids: ["latency"] },
  ],
  stamp: ["no scaling: 2 cores for 8 busy threads"],
  forbids: ["scaling"],
};

test("a host that is unfit for what an expectation needs cannot tell, and says why; its figures are shown all the same", () => {
  const more = { speed: byDistribution({ shared: 1.5 }), fitness: unfit };
  expect(judge({ ...ratio, needs: ["ratio", "latency"] }, more).verdict).toBe("agrees");
  const judgement = judge({ ...ratio, needs: ["ratio", "scaling"] }, more);
  expect(judgement).toMatchObject({
    verdict: "cannot-tell",
    reason: "this host cannot tell how figures grow with cores: 2 cores for 8 busy threads",
  });
  expect(judgement.comparisons.map(({ holds }) => holds)).toEqual(["yes", "yes", "yes"]);
});

test("cells that are missing, failed, unavailable or few are named", () => {
  const failing = judge(ratio, {
    speed: byDistribution({ shared: 1.5 }),
    ends: ({ conditions }) =>
      conditions.distribution === "direct" && conditions.workers === 2
        ? { status: "failed", values: {}, problems: ["the client ended with 1"] }
        : undefined,
  });
  expect(failing.verdict).toBe("cannot-tell");
  expect(failing.reason).toContain("1 of 3 comparisons are without figures");
  expect(failing.reason).toContain("6 of 6 trials failed: the client ended with 1");
  const unavailable = judge(ratio, {
    ends: () => ({ status: "unavailable", values: {}, problems: ["no kernel here"] }),
  });
  expect(unavailable.reason).toContain("unavailable: no kernel here");
  expect(judge(ratio, { speed: byDistribution({ shared: 9 }) }, 2)).toMatchObject({
    verdict: "cannot-tell",
    reason: expect.stringContaining("2 values of a cell; it takes 3 or more"),
  });
  expect(judge({ ...ratio, to: { distribution: "2kb" } })).toMatchObject({
    verdict: "cannot-tell",
    reason: "this run has no cells that could be compared",
  });
});

function publish(values: readonly number[], more: Partial<MakeRun> = {}, tolerance = 0.2): PublishedComparison {
  const published: Published = {
    ...{ source: "A thesis", where: "figure 1", setup: "8 cores", quantity: "requests_per_second", unit: "req/s" },
    points: [1, 2, 4].map((workers, i) => ({
      levels: { workers, distribution: "shared" },
      value: values[i] as number,
    })),
    tolerance,
  };
  const experiment = makeExperiment({ published: [published], repetitions: 6 });
  const run = makeRun({ experiment, trials: makeTrials(experiment), seed: 12, noise: CALM, ...more });
  const [comparison] = comparePublished(run, cellsOf(run));
  return comparison as PublishedComparison;
}

const perWorker = { speed: ({ workers }: Conditions) => workers };

test("published figures agree in shape, however far away they are in size", () => {
  const comparison = publish([100, 200, 400], perWorker);
  expect(comparison).toMatchObject({
    verdict: "agrees",
    order: {
      published: ["distribution=shared workers=4", "distribution=shared workers=2", "distribution=shared workers=1"],
    },
    saturation: { along: "workers", published: 4, ours: 4 },
  });
  expect(comparison.order?.ours).toEqual(comparison.order?.published);
  expect(comparison.points.map(({ published }) => published)).toEqual([100, 200, 400]);
  expect((comparison.points[2]?.ours as number) / (comparison.points[0]?.ours as number)).toBeCloseTo(4, 0);
});

test("published figures of another shape differ, in ratio, order and saturation", () => {
  const comparison = publish([400, 420, 210], perWorker);
  expect(comparison).toMatchObject({
    verdict: "differs",
    order: { same: false },
    saturation: { along: "workers", published: 1, ours: 4 },
  });
});

test("how figures grow with cores needs a host that can tell, and points that we have", () => {
  expect(publish([100, 200, 400], { ...perWorker, fitness: unfit }).verdict).toBe("cannot-tell");
  const none = publish([100, 200, 400], { ends: () => ({ status: "failed", values: {}, problems: ["it broke"] }) });
  expect(none).toMatchObject({ verdict: "cannot-tell", reason: expect.stringContaining("it broke") });
  expect(none.order).toBeUndefined();
});
