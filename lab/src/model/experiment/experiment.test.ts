/** The experiments of lab/experiments, the schema, and the table of factors. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Conditions } from "./experiment.js";
import { completeConditions, FACTOR_NAMES, FACTORS, formatLevel, parseLevel } from "./factors.js";
import { parseExperiment } from "./parse-experiment.js";
import { experimentJsonSchema } from "./schema.js";

const FOLDER = new URL("../../../experiments/", import.meta.url);
const CONFIG_KEYS = new URL("../../../../stack/src/config/config_keys.def", import.meta.url);

it("the JSON Schema in lab/schema is the one of this code", async () => {
  const text = `${JSON.stringify(experimentJsonSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot("../../../schema/experiment.schema.json");
});

it.each(readdirSync(FOLDER))("%s is an experiment of that name", (file) => {
  const experiment = parseExperiment(readFileSync(new URL(file, FOLDER), "utf8"), file);
  expect(`${experiment.name}.yaml`).toBe(file);
});

describe("an experiment", () => {
  const parse = (text: string) => parseExperiment(text, "x.yaml");

  it("has its defaults, and its numbers in the units of their names", () => {
    const experiment = parse(`
name: a
title: A
question: Why?
factors: {delay: [0us, 2.5ms], loss: [0%, 0.1%], load: [50]}
warmup: 300ms
quantities: [latency_p99]
expected:
  - name: slow
    says: Slower.
    quantity: latency_p99
    needs: [ratio]
    ratio: {of: {delay: 2.5ms}, to: {delay: 0us, load: 0}, least: 2}
  - name: first
    says: First.
    quantity: latency_p99
    where: {loss: 0.1%}
    needs: [ratio]
    order: {by: delay, order: [2.5ms, 0us], tolerance: 5%}
quick: {factors: {loss: [0%]}, duration: 1s}
`);
    expect(experiment).toMatchObject({
      ...{ machines: "vm", repetitions: 5, warmupS: 0.3, durationS: 10, seed: 1, telemetry: false, constraints: [] },
      factors: [
        { name: "delay", levels: [0, 2500] },
        { name: "loss", levels: [0, 0.001] },
        { name: "load", levels: [50] },
      ],
      expected: [
        { kind: "ratio", of: { delay: 2500 }, to: { delay: 0, load: 0 }, least: 2 },
        { kind: "order", where: { loss: 0.001 }, order: [2500, 0], tolerance: 0.05 },
      ],
      quick: { factors: { loss: [0] }, durationS: 1 },
    });
  });
});

describe("a faulty experiment", () => {
  const HEAD = [
    ...["name: a", "title: A", "question: Why?", "factors:", "  workers: [1, 2]", "  distribution: [direct, shared]"],
    "quantities: [requests_per_second]",
  ].join("\n");
  const table = readFileSync(new URL("faulty-experiments.txt", import.meta.url), "utf8");
  const faulty = table
    .split(/^== /m)
    .slice(1)
    .map((block) => {
      const [title = "", ...lines] = block.trimEnd().split("\n");
      const says = lines.pop()?.replace(/^=> /, "") ?? "";
      return { title, text: `${HEAD}\n${lines.join("\n")}\n`, says };
    });

  it("has a head that is good", () => {
    expect(parseExperiment(HEAD, "x.yaml").factors.map(({ name }) => name)).toEqual(["workers", "distribution"]);
  });

  it.each(faulty)("$title", ({ text, says }) => {
    expect(() => parseExperiment(text, "x.yaml")).toThrowError(
      expect.objectContaining({ code: "VNF_EXPERIMENT_INVALID", message: `x.yaml:${says}` }),
    );
  });

  it.each([
    ["quantities: [goodput]", "goodput is measured by bulk, file, udp, and none of them is a workload here"],
    ["quantities: [distributor_busy]", "distributor_busy is read from counters: telemetry: true"],
    ["quantities: []", "an experiment measures something"],
    ["quantities: [requests_per_second, requests_per_second]", "requests_per_second stands there twice"],
  ])("%s", (quantities, says) => {
    expect(() => parseExperiment(HEAD.replace(/quantities.*/, quantities), "x.yaml")).toThrowError(says);
  });

  it("of a megabyte is not even read, nor one that would never end", () => {
    expect(() => parseExperiment(`${HEAD}\n#${"x".repeat(2 ** 20)}`, "x.yaml")).toThrowError(
      /at most 262144 characters/,
    );
    const many = HEAD.replace("[1, 2]", `[${Array.from({ length: 32 }, (_, i) => i + 1)}]`);
    const endless = `${many.replace("quantities", "  payload: [8, 16, 32, 64]\nquantities")}\nrepetitions: 100`;
    expect(() => parseExperiment(endless, "x.yaml")).toThrowError("25600 trials are more than 20000");
  });
});

describe("the factors", () => {
  it("are the conditions of a trial, all of them", () => {
    const all: Record<keyof Conditions, true> = {
      ...{
        stack: true,
        distribution: true,
        workers: true,
        queues: true,
        spread: true,
        offload: true,
        burst: true,
        ring: true,
      },
      ...{ cc: true, workload: true, payload: true, connections: true, load: true, loss: true, delay: true },
    };
    expect([...FACTOR_NAMES].sort()).toEqual(Object.keys(all).sort());
  });

  it.each([
    [{}, { stack: "libmtcp", distribution: "shared", workers: 1, queues: 1, cc: "reno", payload: 64 }],
    [{ distribution: "direct", workers: 4 }, { queues: 4 }],
    [{ distribution: "1kb", workers: 4 }, { queues: 1 }],
    [
      { stack: "kernel", workers: 2, workload: "udp" },
      { distribution: "none", queues: 2, cc: "cubic", payload: 1400, connections: 16 },
    ],
  ])("of %j are %j when nothing else is said", (chosen, conditions) => {
    expect(completeConditions(chosen)).toMatchObject(conditions);
  });

  it.each(FACTOR_NAMES)("%s: what is usual is a level, and a level is read as it is written", (name) => {
    const usual = completeConditions({})[name];
    expect(parseLevel(FACTORS[name], formatLevel(name, usual))).toBe(usual);
  });

  it.each([
    ["loss", 0.001, "0.1%"],
    ["delay", 500, "500us"],
    ["delay", 2500, "2.5ms"],
    ["delay", 1_000_000, "1s"],
  ] as const)("%s %d is written %s", (name, level, text) => {
    expect(formatLevel(name, level)).toBe(text);
    expect(parseLevel(FACTORS[name], text)).toBe(level);
  });

  it("end in keys that stack.conf has, with the levels and the value that it takes", () => {
    const keys = readFileSync(CONFIG_KEYS, "utf8").replaceAll(/\s+/g, " ");
    for (const name of FACTOR_NAMES) {
      const key = /^stack\.conf `(\w+)`/.exec(FACTORS[name].endsIn)?.[1];
      if (key === undefined) continue;
      const { levels } = FACTORS[name];
      const number = new RegExp(`KEY_NUMBER\\(${key}, \\w+, \\w+, (\\d+), (\\d+), (\\d+),`).exec(keys);
      const choice = new RegExp(`KEY_CHOICE\\(${key}, [^"]*"([^"]*)"`).exec(keys);
      if (levels.kind === "whole" && number) {
        const [, least, most, usual] = number.map(Number) as [number, number, number, number];
        expect([levels.least, levels.most], name).toEqual([Math.max(least, 1), name === "workers" ? 32 : most]);
        if (name !== "workers") expect(completeConditions({})[name], name).toBe(usual);
      } else {
        expect(choice, `stack.conf has no key ${key}`).not.toBeNull();
        const ours = completeConditions({})[name];
        expect(choice?.[1]?.split("|"), name).toContain(ours);
      }
    }
  });
});
