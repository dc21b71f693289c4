import { describe, expect, it } from "vitest";
import { parseExperiment } from "../../model/experiment/parse-experiment.js";
import type { PlanOptions } from "../../model/experiment/trial.js";
import { costsOf, estimateSeconds } from "./estimate.js";
import { planTrials, setupsOfTrials } from "./plan-trials.js";

const ALL: PlanOptions = { quick: false, only: [] };

const experimentOf = (text: string) =>
  parseExperiment(
    `name: a\ntitle: A\nquestion: Why?\nquantities: [requests_per_second]\nrepetitions: 2\n${text}`,
    "a.yaml",
  );

const plan = (text: string, options: Partial<PlanOptions> = {}) =>
  planTrials(experimentOf(text), { ...ALL, ...options });

const DESIGNS = "factors: {stack: [libmtcp, kernel], distribution: [none, direct, shared, 1kb, 2kb], workers: [1, 2]}";

describe("a plan", () => {
  it("has each combination that can be had, so often, and counts the others with their reasons", () => {
    const { trials, leftOut } = plan(DESIGNS);
    expect(trials).toHaveLength((1 + 4) * 2 * 2);
    expect(leftOut).toEqual([
      { because: "the kernel distributes in its own way, libmtcp in one of ours", combinations: (4 + 1) * 2 },
    ]);
    expect(new Set(trials.map(({ cell }) => cell)).size).toBe(10);
  });

  it("has setups that spread frames by a hash where there is more than one queue", () => {
    const { trials } = plan("factors: {queues: [1, 2], spread: [lanes, hash]}");
    const setups = setupsOfTrials(trials).map(({ queues, spread }) => `${queues} ${spread}`);
    expect(setups.sort()).toEqual(["1 lanes", "2 hash", "2 lanes"]);
    expect(trials).toHaveLength(3 * 2);
    const all = plan("factors: {queues: [1, 2]}\nfixed: {spread: hash}");
    expect(
      setupsOfTrials(all.trials)
        .map(({ queues, spread }) => `${queues} ${spread}`)
        .sort(),
    ).toEqual([...["1 lanes", "2 hash"]]);
  });

  it("has a setup for each number of queues, all with the CPUs of the trial that needs most", () => {
    const { trials } = plan(DESIGNS);
    const setups = setupsOfTrials(trials).toSorted((a, b) => a.queues - b.queues);
    expect(setups).toEqual([
      { machines: "vm", cpus: 4, queues: 1, spread: "lanes" },
      { machines: "vm", cpus: 4, queues: 2, spread: "lanes" },
    ]);
    const of = (distribution: string, workers: number) =>
      trials.find((it) => it.conditions.distribution === distribution && it.conditions.workers === workers)?.setup;
    expect(of("2kb", 2)).toMatchObject({ cpus: 4, queues: 1 });
    expect(of("direct", 2)).toMatchObject({ cpus: 4, queues: 2 });
    expect(of("none", 2)).toMatchObject({ cpus: 4, queues: 2 });
    expect(of("none", 1)).toMatchObject({ cpus: 4, queues: 1 });
  });

  it("brings each setup up once", () => {
    const queues = plan(DESIGNS).trials.map(({ setup }) => setup.queues);
    expect(queues.filter((one, index) => one !== queues[index - 1])).toHaveLength(2);
  });

  it("measures a peak for each load, before it, though it was not asked for", () => {
    const { trials } = plan("factors: {load: [50, 90], workers: [1, 2]}");
    expect(trials).toHaveLength(2 * 3 * 2);
    for (const [index, { peak, conditions }] of trials.entries()) {
      if (conditions.load === 0) expect(peak).toBeUndefined();
      const before = trials.slice(0, index).filter(({ cell }) => cell === peak);
      if (conditions.load > 0)
        expect(before.map(({ conditions: of }) => of)).toEqual(Array(2).fill({ ...conditions, load: 0 }));
    }
  });

  it("measures the peak of a load that a constraint would leave out", () => {
    const { trials, leftOut } = plan(
      "factors: {load: [0, 50]}\nconstraints: [{when: {}, only: {load: [50]}, because: only half}]",
    );
    expect(trials.map(({ conditions: { load } }) => load)).toEqual([0, 0, 50, 50]);
    expect(leftOut).toEqual([]);
  });

  it("reads counters in trials of their own, of libmtcp alone", () => {
    const { trials } = plan("telemetry: true\nfactors: {stack: [libmtcp, kernel]}");
    const counted = trials.filter(({ telemetry }) => telemetry).toSorted((a, b) => a.repetition - b.repetition);
    expect(counted.map(({ conditions: { stack }, repetition }) => [stack, repetition])).toEqual([
      ["libmtcp", 1],
      ["libmtcp", 2],
    ]);
    expect(trials).toHaveLength(2 + 2 + 2);
  });

  it("keeps to the constraints of the experiment", () => {
    const constraints = [
      "{when: {distribution: [1kb]}, only: {queues: [1]}, because: one core reads one queue}",
      "{when: {}, only: {queues: =workers}, because: as many queues as workers}",
    ];
    const { trials, leftOut } = plan(
      `factors: {distribution: [shared, 1kb], workers: [1, 2], queues: [1, 2]}\nconstraints: [${constraints}]`,
    );
    const kept = new Set(trials.map(({ levels }) => Object.values(levels).join(" ")));
    expect([...kept].sort()).toEqual(["1kb 1 1", "shared 1 1", "shared 2 2"]);
    expect(leftOut).toEqual([
      { because: "as many queues as workers", combinations: 3 },
      { because: "one core reads one queue", combinations: 2 },
    ]);
  });

  it("measures the kernel once where a factor is none of its own", () => {
    const { trials } = plan("factors: {stack: [kernel, libmtcp], ring: [64, 1024], burst: [1, 64]}", { repeat: 1 });
    const kernel = trials.filter(({ conditions }) => conditions.stack === "kernel");
    expect(kernel.map(({ levels }) => levels)).toEqual([{ stack: "kernel", ring: 64, burst: 1 }]);
    expect(trials).toHaveLength(1 + 4);
  });
});

describe("options", () => {
  it("quick, repeat, seed and machines are those of the plan's experiment", () => {
    const { experiment, trials } = plan(
      "factors: {workers: [1, 2, 4]}\nquick: {factors: {workers: [1]}, repetitions: 1, duration: 500ms}",
      { quick: true, repeat: 4, seed: 7, machines: "process" },
    );
    expect(experiment).toMatchObject({ repetitions: 4, seed: 7, machines: "process", durationS: 0.5, warmupS: 2 });
    expect(trials.map(({ levels }) => levels)).toEqual(Array(4).fill({ workers: 1 }));
  });

  it("only takes levels as people write them", () => {
    const { trials } = plan("factors: {delay: [0us, 1ms], loss: [0%, 1%]}", {
      only: [
        { factor: "delay", levels: ["1ms"] },
        { factor: "loss", levels: ["1%", "0%"] },
      ],
    });
    expect(new Set(trials.map(({ levels }) => JSON.stringify(levels))).size).toBe(2);
    expect(trials.every(({ conditions }) => conditions.delay === 1000)).toBe(true);
  });

  it("only leaves the trials as they are: where a factor means nothing, its first level of all stands for it", () => {
    const text = "factors: {stack: [kernel, libmtcp], ring: [64, 1024]}";
    const ids = plan(text).trials.map(({ id }) => id);
    const { trials } = plan(text, { only: [{ factor: "ring", levels: ["1024"] }] });
    expect(trials.map(({ conditions: { stack, ring } }) => [stack, ring])).toEqual(Array(2).fill(["libmtcp", 1024]));
    for (const { id } of trials) expect(ids).toContain(id);
  });

  it.each([
    ["worker", "2", '--only worker: a does not vary it (did you mean "workers"?)'],
    ["ring", "64", "--only ring: a does not vary it"],
    ["stack", "kernal", '--only stack=kernal: no such level (did you mean "kernel"?)'],
    ["workers", "8", "--only workers=8: no such level"],
  ])("--only %s=%s is refused", (factor, level, message) => {
    const only = [{ factor, levels: [level] }];
    expect(() => plan(DESIGNS, { only })).toThrowError(expect.objectContaining({ code: "VNF_USAGE", message }));
  });

  it("a shard that is empty is refused", () => {
    const shard = { index: 3, count: 3 };
    expect(() => plan("factors: {workers: [1, 2]}", { shard })).toThrowError(
      "part 3 of 3 is empty: a has fewer groups",
    );
  });

  it("that leave nothing are refused, with the reason", () => {
    const only = [
      { factor: "stack", levels: ["kernel"] },
      { factor: "distribution", levels: ["1kb"] },
    ];
    expect(() => plan(DESIGNS, { only })).toThrowError(
      "nothing of a is left to measure: the kernel distributes in its own way, libmtcp in one of ours",
    );
  });
});

describe("an estimate", () => {
  const { experiment, trials } = plan(`${DESIGNS}\nwarmup: 1s\nduration: 2s`);

  it("counts each setup and each trial, and nothing for a kernel that is not there", () => {
    expect(estimateSeconds(trials, experiment, { up: 10, trial: 1, kernel: 2 })).toBe(2 * 10 + 20 * 4 + 4 * 2);
    const processes = plan(`${DESIGNS}\nwarmup: 1s\nduration: 2s`, { machines: "process" });
    expect(estimateSeconds(processes.trials, processes.experiment, { up: 10, trial: 1, kernel: 2 })).toBe(20 + 16 * 4);
  });

  it("learns from the trials that were run", () => {
    const results = trials.map(({ id, conditions: { stack } }) => ({
      ...{ trial: id, status: "measured" as const, seconds: stack === "kernel" ? 12 : 5 },
    }));
    expect(costsOf(trials, results, experiment)).toEqual({ up: 20, trial: 2, kernel: 7 });
    expect(costsOf(trials, [], experiment)).toEqual({ up: 20, trial: 5, kernel: 2 });
  });
});
