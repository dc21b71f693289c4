/** The experiments that come with vnflab: what they plan, and how long that takes. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { MachineKind } from "../../model/experiment/experiment.js";
import { parseExperiment } from "../../model/experiment/parse-experiment.js";
import { estimateSeconds } from "./estimate.js";
import { planTrials } from "./plan-trials.js";

const FOLDER = new URL("../../../experiments/", import.meta.url);
const names = readdirSync(FOLDER).map((file) => file.replace(".yaml", ""));

const load = (name: string) => parseExperiment(readFileSync(new URL(`${name}.yaml`, FOLDER), "utf8"), name);

const secondsOf = (name: string, quick: boolean, machines: MachineKind) => {
  const { experiment, trials } = planTrials(load(name), { quick, only: [], machines });
  return estimateSeconds(trials, experiment);
};

it("there are the eight", () => {
  expect(names).toEqual([
    ...["batching", "bulk", "connection-rate", "distribution-place"],
    ...["distributor-saturation", "latency-vs-load", "loss", "throughput-vs-cores"],
  ]);
});

it("all of them quickly, as processes, take fourteen minutes of the twenty that they may take", () => {
  const seconds = names.map((name) => secondsOf(name, true, "process"));
  expect(seconds.reduce((sum, one) => sum + one, 0)).toBeLessThan(14 * 60);
});

describe.each(names)("%s", (name) => {
  it("quickly, with virtual machines, is over in ten minutes, and in full in three hours", () => {
    expect(secondsOf(name, true, "vm")).toBeLessThan(10 * 60);
    expect(secondsOf(name, false, "vm")).toBeLessThan(3 * 3600);
  });

  it("quickly, has every stack and design that it has in full", () => {
    const shown = (quick: boolean) => {
      const { trials } = planTrials(load(name), { quick, only: [] });
      return new Set(trials.map(({ conditions: { stack, distribution, cc } }) => `${stack} ${distribution} ${cc}`));
    };
    expect(shown(true)).toEqual(shown(false));
  });

  it("measures what each expectation and each figure speaks of", () => {
    const experiment = load(name);
    const { trials } = planTrials(experiment, { quick: false, only: [] });
    const some = (levels: object) =>
      trials.some(({ conditions }) =>
        Object.entries(levels).every(([factor, level]) => conditions[factor as keyof typeof conditions] === level),
      );
    for (const { title, where } of experiment.figures) expect(some(where), title).toBe(true);
    for (const expectation of experiment.expected) {
      const sides = expectation.kind === "ratio" ? [expectation.of, expectation.to] : [{}];
      for (const side of sides) expect(some({ ...expectation.where, ...side }), expectation.name).toBe(true);
    }
  });
});
