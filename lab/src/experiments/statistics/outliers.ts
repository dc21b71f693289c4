/**
 * Values that stand apart from their cell, by the modified z-score of Iglewicz and Hoaglin ("How to Detect and Handle
 * Outliers", ASQC 1993): 0.6745 (x - median) / MAD, apart beyond 3.5. They are pointed at and stay in all figures: a run
 * that was slow was slow, and who drops it has to say why.
 */
import { mean, median, medianAbsoluteDeviation } from "simple-statistics";

const APART = 3.5;
/** Of fewer values the median deviation is chance: two of three are always close to each other. */
const ENOUGH = 5;

/** Whether each value stands apart; of fewer than five values none does. */
export function standApart(values: readonly number[]): boolean[] {
  const scores = modifiedZScores(values);
  return values.map((_, i) => Math.abs(scores[i] ?? 0) > APART);
}

/** 0 for all where nothing can be said: fewer than five values, or all alike. */
export function modifiedZScores(values: readonly number[]): number[] {
  if (values.length < ENOUGH) return values.map(() => 0);
  const middle = median([...values]);
  const deviation = medianAbsoluteDeviation([...values]);
  if (deviation > 0) return values.map((value) => (0.6745 * (value - middle)) / deviation);
  // More than half are alike: the mean deviation, scaled to the same normal spread (sqrt(pi / 2)), tells of the others.
  const meanDeviation = mean(values.map((value) => Math.abs(value - middle)));
  return values.map((value) => (meanDeviation > 0 ? (value - middle) / (Math.sqrt(Math.PI / 2) * meanDeviation) : 0));
}
