/**
 * Intervals by the bootstrap's percentile method (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter
 * 13): the statistic of many samples drawn with replacement. Each of several samples is drawn from by itself, so the same
 * code does for one cell, for two runs and for all cells of two runs (strata).
 */
import { median, quantileSorted, sampleWithReplacement } from "simple-statistics";
import type { Random } from "../../model/random.js";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** What the intervals are to hold the truth with. */
export const LEVEL = 0.95;
const RESAMPLES = 2000;

export interface BootstrapOptions {
  /** How surely it is to hold the truth; LEVEL. */
  readonly level?: number;
  readonly resamples?: number;
}

/** The interval of a statistic of samples, none of which may be empty. The same chance gives the same interval. */
export function bootstrapInterval(
  samples: readonly (readonly number[])[],
  statistic: (drawn: readonly (readonly number[])[]) => number,
  random: Random,
  { level = LEVEL, resamples = RESAMPLES }: BootstrapOptions = {},
): Interval {
  const drawn = Array.from({ length: resamples }, () =>
    statistic(samples.map((sample) => sampleWithReplacement([...sample], sample.length, random.part))),
  );
  drawn.sort((a, b) => a - b);
  const rest = (1 - level) / 2;
  return { low: quantileSorted(drawn, rest), high: quantileSorted(drawn, 1 - rest) };
}

/** The interval of a sample's median. */
export function medianInterval(values: readonly number[], random: Random, options?: BootstrapOptions): Interval {
  return bootstrapInterval([values], ([drawn = []]) => median([...drawn]), random, options);
}

/**
 * How surely a median's interval can hold the true median at best: it is never wider than from the least value to the
 * largest, and all values of n lie on one side of the median with probability 2^(1-n). 0.75 of three values, 0.9375 of
 * five; from six on the level itself.
 */
export function coverageOf(n: number): number {
  return Math.min(LEVEL, 1 - 2 ** (1 - n));
}
