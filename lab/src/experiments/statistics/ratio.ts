/** How many times one sample is another, by their medians. */
import { median } from "simple-statistics";
import type { Random } from "../../model/random.js";
import { type BootstrapOptions, bootstrapInterval, type Interval } from "./bootstrap.js";

export interface Ratio {
  readonly value: number;
  readonly interval: Interval;
}

/** Median of `of` by median of `to`; both are drawn from anew for the interval. Neither may be empty. */
export function ratioOf(
  of: readonly number[],
  to: readonly number[],
  random: Random,
  options?: BootstrapOptions,
): Ratio {
  const ratio = ([upper = [], lower = []]: readonly (readonly number[])[]) => median([...upper]) / median([...lower]);
  return { value: ratio([of, to]), interval: bootstrapInterval([of, to], ratio, random, options) };
}
