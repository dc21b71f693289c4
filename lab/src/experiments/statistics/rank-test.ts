/**
 * Whether the values of one side rank higher than those of the other: Wilcoxon's rank-sum test, over several strata at
 * once (van Elteren, 1960), exact. Each stratum is ranked by itself, so what differs between strata does not count.
 *
 * The statistic is the sum of the strata's rank sums, which is van Elteren's when all strata are of one size. Its
 * distribution, when sides are nothing but labels, is counted: of all ways to deal out the ranks of a stratum (ranks
 * doubled, so that those of equal values are whole numbers), and the strata's convolved. Where that is too much to count
 * the normal distribution is close enough.
 */
import { errorFunction } from "simple-statistics";

export interface Stratum {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

export interface RankTest {
  /** Of a difference in either direction. */
  readonly p: number;
  /** The least p that values in these numbers can give, all of one side above all of the other. */
  readonly leastP: number;
}

/** Different sums of all strata up to which they are counted. */
const MOST_COUNTED = 20_000;

/** Each stratum has values on both sides. */
export function rankTest(strata: readonly Stratum[]): RankTest {
  const all = strata.map(({ a, b }) => ({ ranks: doubledRanks([...b, ...a]), n: b.length }));
  const sums = all.reduce((total, { ranks, n }) => total + 2 * n * (ranks.length - n), 0);
  return sums <= MOST_COUNTED ? exactTest(all) : normalTest(all);
}

interface Ranked {
  /** Of the side that is tested first, then of the other; twice the usual ranks. */
  readonly ranks: readonly number[];
  readonly n: number;
}

function exactTest(strata: readonly Ranked[]): RankTest {
  const chances = strata
    .map(({ ranks, n }) => chancesOfSums(ranks, n))
    .reduce((all, one) => convolve(all, one), Float64Array.of(1));
  const observed = strata.reduce((total, { ranks, n }) => total + sum(ranks.slice(0, n)), 0);
  const least = strata.reduce((total, { ranks, n }) => total + leastSum(ranks, n), 0);
  const upTo = sum(chances.subarray(0, observed - least + 1));
  const from = sum(chances.subarray(observed - least));
  const ends = Math.min(chances[0] ?? 1, chances.at(-1) ?? 1);
  return { p: Math.min(1, 2 * Math.min(upTo, from)), leastP: Math.min(1, 2 * ends) };
}

function normalTest(strata: readonly Ranked[]): RankTest {
  let distance = 0;
  let variance = 0;
  let farthest = 0;
  for (const { ranks, n } of strata) {
    const others = ranks.length - n;
    const mean = sum(ranks) / ranks.length;
    const spread = ranks.reduce((total, rank) => total + (rank - mean) ** 2, 0) / (ranks.length - 1);
    distance += sum(ranks.slice(0, n)) - n * mean;
    variance += (spread * n * others) / ranks.length;
    farthest += n * others;
  }
  const pOf = (far: number) => (variance > 0 ? 1 - errorFunction(Math.abs(far) / Math.sqrt(2 * variance)) : 1);
  return { p: Math.min(1, pOf(distance)), leastP: pOf(farthest) };
}

/** Chance of each sum of n of the ranks, from the least sum that there is to the largest. */
function chancesOfSums(ranks: readonly number[], n: number): Float64Array {
  const low = leastSum(ranks, n);
  const high = leastSum(
    ranks.map((rank) => -rank),
    n,
  );
  const most = -high;
  // ways[k][s]: chance-weighted number of ways to get the sum s of k ranks; divided as it grows, so that it stays finite.
  const ways = Array.from({ length: n + 1 }, () => new Float64Array(most + 1));
  (ways[0] as Float64Array)[0] = 1;
  ranks.forEach((rank, seen) => {
    for (let k = Math.min(n, seen + 1); k > 0; k--) {
      const [less, here] = [ways[k - 1] as Float64Array, ways[k] as Float64Array];
      // The chance that this rank is the k-th of k taken out of those seen: a binomial, built up factor by factor.
      const taken = k / (seen + 1);
      const left = (seen + 1 - k) / (seen + 1);
      for (let s = most; s >= 0; s--) {
        here[s] = left * (here[s] ?? 0) + (s >= rank ? taken * (less[s - rank] ?? 0) : 0);
      }
    }
  });
  return (ways[n] as Float64Array).subarray(low, most + 1);
}

function convolve(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length + b.length - 1);
  a.forEach((x, i) => {
    if (x === 0) return;
    b.forEach((y, j) => {
      out[i + j] = (out[i + j] ?? 0) + x * y;
    });
  });
  return out;
}

function doubledRanks(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return 2 * below + equal + 1;
  });
}

function leastSum(ranks: readonly number[], n: number): number {
  return sum(ranks.toSorted((a, b) => a - b).slice(0, n));
}

function sum(values: readonly number[] | Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
