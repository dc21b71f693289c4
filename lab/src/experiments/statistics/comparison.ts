/**
 * What all statements about a run's figures come down to: one cell's median, as a multiple of another's, lies between
 * two bounds. It holds when the whole interval of the ratio does, it does not when the whole interval lies outside, and
 * else these figures cannot tell.
 */
import type { QuantityName } from "../../model/experiment/quantities.js";
import { randomOf } from "../../model/random.js";
import { coverageOf, type Interval, LEVEL } from "./bootstrap.js";
import type { Cell } from "./cells.js";
import { whyNone } from "./match-cells.js";
import { ratioOf } from "./ratio.js";

/** Of fewer repetitions no interval is worth the name: of two it holds the truth half of the time. */
const LEAST_VALUES = 3;

export interface Claim {
  /** Both sides, for people. */
  readonly what: string;
  readonly quantity: QuantityName;
  readonly of: Cell | undefined;
  readonly to: Cell | undefined;
  /** Bounds of the ratio; at least one of them. */
  readonly least?: number;
  readonly most?: number;
}

export interface Comparison {
  readonly what: string;
  /** The bounds, for people: `at least 1.2`. */
  readonly wanted: string;
  readonly holds: "yes" | "no" | "unclear" | "no figures";
  /** One sentence with the figures, or why there are none. */
  readonly detail: string;
  readonly ratio?: number;
  readonly interval?: Interval;
  /** Values of both sides. */
  readonly n?: readonly [number, number];
}

/** Claims that are made together: their intervals are as much wider as it takes for all to hold at once (Bonferroni). */
export function compareAll(claims: readonly Claim[], seed: number): Comparison[] {
  const level = 1 - (1 - LEVEL) / Math.max(1, claims.length);
  return claims.map((claim) => compareOne(claim, level, seed));
}

function compareOne(claim: Claim, level: number, seed: number): Comparison {
  const { what, quantity, of, to } = claim;
  const wanted = boundsOf(claim);
  const [upper, lower] = [of?.quantities[quantity], to?.quantities[quantity]];
  if (!upper || !lower) {
    const side = upper ? to : of;
    return { what, wanted, holds: "no figures", detail: whyNone(side, quantity) };
  }
  const n = [upper.n, lower.n] as const;
  if (Math.min(...n) < LEAST_VALUES) {
    const detail = `${Math.min(...n)} value${Math.min(...n) === 1 ? "" : "s"} of a cell; it takes ${LEAST_VALUES} or more`;
    return { what, wanted, holds: "unclear", detail, n, ratio: upper.median / lower.median };
  }
  if (lower.least <= 0) return { what, wanted, holds: "unclear", detail: "a figure of the cell is 0", n };
  const random = randomOf(seed, quantity, of?.cell ?? "", to?.cell ?? "");
  const [a, b] = [upper, lower].map(({ values }) => values.map(({ value }) => value)) as [number[], number[]];
  const { value: ratio, interval } = ratioOf(a, b, random, { level });
  const holds = placeOf(interval, claim);
  const range = `${format(ratio)} (${format(interval.low)} to ${format(interval.high)})`;
  const covered = Math.min(level, ...n.map(coverageOf));
  const few = covered < level ? `; ${Math.min(...n)} values hold the truth with ${Math.round(100 * covered)} %` : "";
  return { what, wanted, holds, detail: `${range}${few}`, ratio, interval, n };
}

function placeOf({ low, high }: Interval, { least = 0, most = Infinity }: Claim): "yes" | "no" | "unclear" {
  if (least <= low && high <= most) return "yes";
  return high < least || most < low ? "no" : "unclear";
}

function boundsOf({ least, most }: Claim): string {
  if (least !== undefined && most !== undefined) return `${format(least)} to ${format(most)}`;
  return least === undefined ? `at most ${format(most ?? Infinity)}` : `at least ${format(least)}`;
}

/** A ratio with three digits. */
function format(ratio: number): string {
  return Number.isFinite(ratio) ? String(Number(ratio.toPrecision(3))) : "any";
}
