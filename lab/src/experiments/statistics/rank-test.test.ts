import { expect, test } from "vitest";
import { cliffsDelta, typicalRatio } from "./effect.js";
import { holm } from "./holm.js";
import { rankTest } from "./rank-test.js";

// Figures of scipy 1.17.1 unless another source stands beside them.

test("the rank-sum test of scipy's example of mannwhitneyu (method exact)", () => {
  expect(rankTest([{ a: [20, 11, 17, 12], b: [19, 22, 16, 29, 24] }]).p).toBeCloseTo(0.1111111111111111, 12);
});

test("all values of one side above all of the other: the least p that there is", () => {
  // scipy.stats.mannwhitneyu(a, b, method="exact")
  const { p, leastP } = rankTest([{ a: [7.2, 6.9, 7.5, 7.1, 7.0], b: [6.1, 6.4, 6.0, 6.8, 6.3] }]);
  expect(p).toBeCloseTo(0.007936507936507936, 12);
  expect(leastP).toBeCloseTo(0.007936507936507936, 12);
  expect(rankTest([{ a: [1, 2, 3], b: [4, 5, 6] }]).p).toBeCloseTo(0.1, 12);
});

test("equal values share a rank", () => {
  // scipy.stats.permutation_test on the sum of rankdata's ranks, all permutations
  expect(rankTest([{ a: [1, 2, 2, 3, 5], b: [2, 4, 5, 5, 6, 7] }]).p).toBeCloseTo(0.08225108225108226, 12);
  expect(rankTest([{ a: [1, 1, 1], b: [1, 1, 1] }])).toEqual({ p: 1, leastP: 1 });
});

test("over several strata, each ranked by itself", () => {
  // All ways to deal out the ranks of the three strata, enumerated by itertools.combinations.
  const strata = [
    { a: [10, 11, 12], b: [11.5, 12.5, 13] },
    { a: [100, 120, 110], b: [115, 125, 105] },
    { a: [1, 2, 3, 4], b: [2.5, 3.5, 5] },
  ];
  expect(rankTest(strata).p).toBeCloseTo(0.08042857142857143, 12);
  // What is added to a stratum as a whole changes nothing.
  const moved = strata.map(({ a, b }, i) => ({ a: a.map((x) => x + 1000 * i), b: b.map((x) => x + 1000 * i) }));
  expect(rankTest(moved).p).toBe(rankTest(strata).p);
});

test("of very many values the normal distribution is close enough", () => {
  // scipy.stats.mannwhitneyu(b, a, method="asymptotic", use_continuity=False)
  const a = Array.from({ length: 120 }, (_, i) => i / 7);
  const { p } = rankTest([{ a, b: a.map((x) => x + 1.2345) }]);
  expect(p).toBeCloseTo(0.06728468440431952, 5);
  // Counted and approximated they meet: 20000 sums are counted, 20402 are not.
  const counted = a.slice(0, 100);
  const approximated = a.slice(0, 101);
  const shifted = (values: readonly number[]) => rankTest([{ a: values, b: values.map((x) => x + 1.2345) }]).p;
  expect(Math.abs(shifted(counted) - shifted(approximated))).toBeLessThan(0.003);
});

test("Holm's correction, by hand", () => {
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(holm([0.5, 0.9])).toEqual([1, 1]);
  expect(holm([])).toEqual([]);
});

test("effect sizes: how often above, and by which factor", () => {
  expect(cliffsDelta([1, 2, 3], [4, 5, 6])).toBe(1);
  expect(cliffsDelta([1, 2, 3], [1, 2, 3])).toBe(0);
  expect(cliffsDelta([4, 5, 6], [1, 2, 5])).toBeCloseTo(-2 / 3, 12);
  // numpy.median of all b / a
  expect(typicalRatio([7.2, 6.9, 7.5, 7.1, 7.0], [6.1, 6.4, 6.0, 6.8, 6.3])).toBeCloseTo(0.8840579710144927, 12);
});
