import { describe, expect, it } from "vitest";
import { busyPercent, type CpuTimes, parseCpuTimes, stealPercent, untilQuiet } from "./steal.js";

describe("parseCpuTimes", () => {
  it("adds up eight columns and no guest time", () => {
    expect(parseCpuTimes("cpu  1 2 3 4 5 6 7 8 1000 1000\ncpu0 9 9 9 9 9 9 9 9 0 0\n")).toEqual({
      steal: 8,
      idle: 9,
      total: 36,
    });
  });
  it("refuses what is no /proc/stat", () => {
    expect(() => parseCpuTimes("cpu 1 2\n")).toThrow(/8 columns/);
    expect(() => parseCpuTimes("intr 5\n")).toThrow(/8 columns/);
  });
});

describe("stealPercent", () => {
  it("is a share of all time", () => {
    expect(stealPercent({ steal: 10, idle: 0, total: 1000 }, { steal: 13, idle: 0, total: 1100 })).toBeCloseTo(3);
    expect(stealPercent({ steal: 10, idle: 0, total: 1000 }, { steal: 10, idle: 0, total: 1000 })).toBe(0);
  });
});

describe("busyPercent", () => {
  it("is what was not idle", () => {
    expect(busyPercent({ steal: 0, idle: 100, total: 200 }, { steal: 0, idle: 175, total: 300 })).toBe(25);
    expect(busyPercent({ steal: 0, idle: 1, total: 2 }, { steal: 0, idle: 1, total: 2 })).toBe(0);
  });
});

/** Runs that take 100 ticks each and lose so many of them. */
function machine(steals: number[]) {
  let now: CpuTimes = { steal: 0, idle: 0, total: 0 };
  let count = 0;
  const run = async () => {
    now = { steal: now.steal + (steals[count] ?? 0), idle: 0, total: now.total + 100 };
    count += 1;
    return `run ${count}`;
  };
  return { run, times: () => now };
}

describe("untilQuiet", () => {
  it("keeps the first run when nobody stole", async () => {
    const { run, times } = machine([2]);
    expect(await untilQuiet(run, times)).toEqual({ value: "run 1", stealPercent: 2, repeats: 0 });
  });
  it("runs again after more than 2 %", async () => {
    const { run, times } = machine([30, 1]);
    expect(await untilQuiet(run, times)).toEqual({ value: "run 2", stealPercent: 1, repeats: 1 });
  });
  it("gives up after so many tries and takes the quietest", async () => {
    const { run, times } = machine([30, 5, 9]);
    expect(await untilQuiet(run, times)).toEqual({ value: "run 2", stealPercent: 5, repeats: 2 });
  });
});
