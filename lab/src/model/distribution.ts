/** How a machine's packets reach the workers of its stack, and what that takes. */

export const DISTRIBUTIONS = ["auto", "direct", "shared", "1kb", "2kb"] as const;
export type Distribution = (typeof DISTRIBUTIONS)[number];

/** CPUs that run the distribution alone and no application. */
export function dedicatedCores(distribution: Distribution): number {
  return { auto: 0, direct: 0, shared: 0, "1kb": 1, "2kb": 2 }[distribution];
}

/** What the interface has when the file does not say: software that distributes is content with one queue. */
export function usualQueues(distribution: Distribution, workers: number): number {
  return distribution === "auto" || distribution === "direct" ? workers : 1;
}
