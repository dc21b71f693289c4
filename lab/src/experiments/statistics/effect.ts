/** How far two samples are apart, without regard to how their values are distributed. */
import { median } from "simple-statistics";

/**
 * Cliff's delta ("Dominance statistics", 1993): how much more often a value of b is above one of a than below, -1 to 1.
 */
export function cliffsDelta(a: readonly number[], b: readonly number[]): number {
  const signs = b.flatMap((y) => a.map((x) => Math.sign(y - x)));
  return signs.reduce((total, sign) => total + sign, 0) / signs.length;
}

/** Hodges and Lehmann's shift (1963) as a factor: the median of all ratios of a value of b to one of a. */
export function typicalRatio(a: readonly number[], b: readonly number[]): number {
  return median(b.flatMap((y) => a.map((x) => y / x)));
}
