/** What follows from several comparisons, and from what the host cannot tell, for the statement that they test. */
import type { Comparable } from "../../model/experiment/experiment.js";
import type { Fitness } from "../../model/experiment/run-folder.js";
import type { Comparison } from "./comparison.js";

export interface Verdict {
  readonly verdict: "agrees" | "differs" | "cannot-tell";
  /** One sentence. */
  readonly reason: string;
}

export function verdictOf(comparisons: readonly Comparison[], needs: readonly Comparable[], fitness: Fitness): Verdict {
  const forbidden = needs.filter((need) => fitness.forbids.includes(need));
  if (forbidden.length > 0) return { verdict: "cannot-tell", reason: whyForbidden(forbidden, fitness) };
  if (comparisons.length === 0) {
    return { verdict: "cannot-tell", reason: "this run has no cells that could be compared" };
  }
  const not = comparisons.filter(({ holds }) => holds === "no");
  if (not.length > 0) return { verdict: "differs", reason: `${some(not, comparisons)} not: ${list(not)}` };
  const without = comparisons.filter(({ holds }) => holds === "no figures");
  if (without.length > 0) {
    return { verdict: "cannot-tell", reason: `${some(without, comparisons)} without figures: ${list(without)}` };
  }
  const unclear = comparisons.filter(({ holds }) => holds === "unclear");
  if (unclear.length > 0) {
    return { verdict: "cannot-tell", reason: `${some(unclear, comparisons)} unclear: ${list(unclear)}` };
  }
  return { verdict: "agrees", reason: list(comparisons) };
}

function whyForbidden(forbidden: readonly Comparable[], { checks }: Fitness): string {
  const details = checks
    .filter(({ ok, forbids }) => !ok && forbids.some((one) => forbidden.includes(one)))
    .map(({ detail }) => detail);
  const what = forbidden.map((need) => CANNOT[need]).join(" and ");
  return `this host cannot tell ${what}${details.length > 0 ? `: ${[...new Set(details)].join("; ")}` : ""}`;
}

const CANNOT: Readonly<Record<Comparable, string>> = {
  absolute: "absolute figures",
  scaling: "how figures grow with cores",
  latency: "latencies",
  ratio: "ratios",
};

function some(part: readonly Comparison[], all: readonly Comparison[]): string {
  return all.length === 1 ? "it is" : `${part.length} of ${all.length} comparisons are`;
}

/** Comparisons told in a reason; all of them stand beside it as data. */
const MOST_TOLD = 3;

function list(comparisons: readonly Comparison[]): string {
  const told = comparisons
    .slice(0, MOST_TOLD)
    .map(({ what, detail, wanted }) => `${what}: ${detail}, wanted ${wanted}`);
  const more = comparisons.length - told.length;
  return `${told.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
