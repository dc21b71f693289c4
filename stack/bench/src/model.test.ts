import { describe, expect, it } from "vitest";
import type { Cycles, Distribution } from "./distribution.js";
import { type Costs, checkTable, costsOf, modelTable, predict, saturation } from "./model.js";

/** Round figures: distributing takes a fifth of what a worker takes. */
const COSTS: Costs = { hz: 1e9, receive: 50, steer: 50, transmit: 100, work: 800, ring: 50 };

const cycles = (values: Partial<Cycles>): Cycles => ({
  ...{ receive: 0, steer: 0, protocol: 0, transmit: 0, application: 0 },
  ...values,
});

const DISTRIBUTION: Distribution = {
  steer: null,
  designs: [
    {
      design: "direct",
      threads: 1,
      cpus: 1,
      requestsPerSecond: 1e6,
      framesPerSecond: 1e6,
      workers: cycles({ receive: 50, transmit: 100, protocol: 700, application: 100 }),
      dedicated: cycles({}),
      scaling: "measured",
    },
    {
      design: "1kb",
      threads: 3,
      cpus: 1,
      requestsPerSecond: 1e5,
      framesPerSecond: 1e5,
      workers: cycles({ steer: 20, transmit: 30, protocol: 700, application: 100 }),
      dedicated: cycles({ receive: 60, steer: 50, transmit: 110 }),
      scaling: "not measured: more threads than cores",
    },
  ],
};

describe("predict", () => {
  it("adds cores as long as the workers are the limit", () => {
    expect(predict("direct", 4, COSTS)).toMatchObject({ perSecond: 4e9 / 950, limit: "workers" });
    expect(predict("1kb", 3, COSTS)).toMatchObject({ perSecond: 2e9 / 850, limit: "workers" });
    expect(predict("2kb", 3, COSTS)).toMatchObject({ perSecond: 1e9 / 850, limit: "workers" });
    expect(predict("shared", 2, COSTS)).toMatchObject({ perSecond: 2e9 / 1050, limit: "workers" });
  });
  it("names what holds it up then", () => {
    expect(predict("1kb", 8, COSTS)).toMatchObject({ perSecond: 1e9 / 200, limit: "receiving core" });
    expect(predict("shared", 16, COSTS)).toMatchObject({ perSecond: 1e9 / 100, limit: "lock of the queue" });
    expect(predict("1kb", 1, COSTS)).toMatchObject({ perSecond: 0, limit: "no core left for a worker" });
    expect(predict("2kb", 2, COSTS)).toMatchObject({ perSecond: 0, limit: "no core left for a worker" });
  });
  it("does not distribute on one core", () => {
    expect(predict("shared", 1, COSTS).perSecond).toBe(predict("direct", 1, COSTS).perSecond);
  });
});

describe("saturation", () => {
  it("is the first number of cores at which the workers wait", () => {
    expect(saturation("1kb", COSTS)).toBe(6); // 5 workers make 5.9 M, the distributor 5 M
    expect(saturation("direct", COSTS)).toBeUndefined();
  });
});

describe("costsOf", () => {
  it("takes a worker's cost from direct and the distributor's from 1kb", () => {
    expect(costsOf(DISTRIBUTION, 1e9)).toEqual(COSTS);
    expect(() => costsOf({ steer: null, designs: [] }, 1e9)).toThrow("direct was not measured");
  });
});

describe("tables", () => {
  it("say that they are a model, and what was not checked", () => {
    expect(modelTable(COSTS, [1, 4]).split("\n")[0]).toBe("| model: M requests/s | 1 core | 4 cores | saturates at |");
    expect(modelTable(COSTS, [1, 4])).toContain("| 1kb | 0.00 | 3.53 | 6 cores: receiving core |");
    expect(checkTable(DISTRIBUTION, COSTS)).toBe(
      "direct, 1 core(s): model 1052632, measured 1000000 (5 %)\n1kb, 3 cores: not checked here, this host has too few cores\n",
    );
  });
});
