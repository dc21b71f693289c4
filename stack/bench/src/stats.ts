/** What is made of the figures of several runs. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** (largest - smallest) / median: how far apart the runs lie. */
export function spread(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : (Math.max(...values) - Math.min(...values)) / median(values);
}

export interface Comparison {
  ours: number;
  kernel: number;
  /** Median of the ratios of the pairs, not ratio of the medians: both runs of a pair saw the same machine. */
  ratio: number;
  /** spread() of the ratios of the pairs. */
  spread: number;
  runs: number;
}

/** Run i of one side was made next to run i of the other. */
export function compare(ours: readonly number[], kernel: readonly number[]): Comparison {
  const runs = Math.min(ours.length, kernel.length);
  const ratios = Array.from({ length: runs }, (_, i) => (ours[i] ?? Number.NaN) / (kernel[i] ?? Number.NaN));
  return { ours: median(ours), kernel: median(kernel), ratio: median(ratios), spread: spread(ratios), runs };
}

/** So many significant digits; JSON needs no more of a measurement. */
export function rounded(value: number, digits = 6): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value;
}
