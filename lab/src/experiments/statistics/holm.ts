/** Holm's correction (1979): p-values such that rejecting those below alpha is wrong anywhere with less than alpha. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).toSorted((a, b) => (ps[a] ?? 1) - (ps[b] ?? 1));
  const corrected = ps.map(() => 1);
  let most = 0;
  order.forEach((index, rank) => {
    most = Math.min(1, Math.max(most, (ps.length - rank) * (ps[index] ?? 1)));
    corrected[index] = most;
  });
  return corrected;
}
