import { describe, expect, it } from "vitest";
import { compare, median, rounded, spread } from "./stats.js";

describe("median", () => {
  it("is the middle, or between the two middle ones, whatever the order", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 1, 2, 3])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });
});

describe("spread", () => {
  it("is the distance of the extremes in parts of the median", () => {
    expect(spread([90, 100, 120])).toBeCloseTo(0.3);
    expect(spread([5, 5])).toBe(0);
    expect(spread([])).toBeNaN();
  });
});

describe("compare", () => {
  it("takes the median of the ratios of pairs", () => {
    // Both runs of the second pair were slow: the ratio does not see it.
    expect(compare([100, 50, 110], [10, 5, 10])).toEqual({
      ours: 100,
      kernel: 10,
      ratio: 10,
      spread: expect.closeTo(0.1),
      runs: 3,
    });
  });
  it("leaves a run without partner out of the ratio", () => {
    expect(compare([4, 8, 100], [2, 2])).toMatchObject({ ratio: 3, runs: 2 });
  });
});

describe("rounded", () => {
  it("keeps significant digits", () => {
    expect(rounded(1234567.89)).toBe(1234570);
    expect(rounded(0.123456789, 3)).toBe(0.123);
    expect(rounded(Number.NaN)).toBeNaN();
  });
});
