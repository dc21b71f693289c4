import { describe, expect, it } from "vitest";
import type { RowResult } from "./measure.js";
import { human, table } from "./table.js";

const ROW: RowResult = {
  name: "rpc64-1conn",
  unit: "req/s",
  ours: 230000,
  kernel: 68000,
  ratio: 3.382,
  spread: 0.04,
  runs: 5,
  what: "",
  offloads: true,
  values: { ours: [], kernel: [] },
  latencyUs: { ours: { p50: 4.31, p99: 6, p999: 20.04 }, kernel: { p50: 13.7, p99: 20, p999: 50 } },
  stealPercent: 0,
  repeatsForSteal: 0,
  busyBeforePercent: 0,
};

describe("human", () => {
  it("keeps four digits", () => {
    expect([1185388, 68000, 9999.4, 12.3456, 0.5].map(human)).toEqual(["1.185 M", "68 k", "9999", "12.35", "0.5"]);
    expect(human(null)).toBe("-");
  });
});

describe("table", () => {
  it("aligns figures to the right and shows a missing side as -", () => {
    const only = { ...ROW, name: "udp64", kernel: null, ratio: null, spread: null };
    const { latencyUs, ...noLatency } = only;
    expect(table([ROW, noLatency]).split("\n")).toEqual([
      "row          unit    ours  kernel  ratio  spread  runs  p50/p99/p99.9 us ours      kernel",
      "rpc64-1conn  req/s  230 k    68 k   3.38    0.04     5              4.31/6/20  13.7/20/50",
      "udp64        req/s  230 k       -      -       -     5                      -           -",
      "",
    ]);
  });
});
