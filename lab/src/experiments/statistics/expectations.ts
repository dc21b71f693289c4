/** Whether a run shows what its experiment expects. */
import type { Expectation, Level, Levels } from "../../model/experiment/experiment.js";
import { QUANTITIES } from "../../model/experiment/quantities.js";
import type { Run } from "../../model/experiment/run-folder.js";
import type { Cell } from "./cells.js";
import { type Claim, type Comparison, compareAll } from "./comparison.js";
import { alikeBut, compareLevels, describe, factorsOf, hasLevels, without } from "./match-cells.js";
import { type Verdict, verdictOf } from "./verdict.js";

export interface Judgement extends Verdict {
  readonly name: string;
  /** What was expected, one sentence. */
  readonly says: string;
  readonly kind: Expectation["kind"];
  readonly quantity: Expectation["quantity"];
  /** What was compared: one for each pair of cells that the expectation speaks of. */
  readonly comparisons: readonly Comparison[];
}

/** One judgement for each expectation, in the order of the experiment. */
export function judgeExpectations(run: Run, cells: readonly Cell[]): Judgement[] {
  const { experiment, fitness } = run.manifest;
  return experiment.expected.map((expectation) => {
    const { name, says, kind, quantity, needs } = expectation;
    const comparisons = compareAll(claimsOf(expectation, cells), experiment.seed);
    return { name, says, kind, quantity, ...verdictOf(comparisons, needs, fitness), comparisons };
  });
}

type Kind<K extends Expectation["kind"]> = Extract<Expectation, { kind: K }>;

function claimsOf(expectation: Expectation, cells: readonly Cell[]): Claim[] {
  const { telemetry } = QUANTITIES[expectation.quantity];
  const spokenOf = cells.filter((cell) => cell.telemetry === telemetry && hasLevels(cell, expectation.where));
  switch (expectation.kind) {
    case "ratio":
      return ratioClaims(expectation, spokenOf);
    case "order":
      return orderClaims(expectation, spokenOf);
    case "trend":
      return trendClaims(expectation, spokenOf);
    case "saturation":
      return saturationClaims(expectation, spokenOf);
  }
}

/** Where a side names less than what varies between the two, it speaks of all its cells. */
function ratioClaims({ quantity, of, to, least, most }: Kind<"ratio">, cells: readonly Cell[]): Claim[] {
  const differing = factorsOf({ ...of, ...to });
  const bounds = { ...(least === undefined ? {} : { least }), ...(most === undefined ? {} : { most }) };
  return alikeBut(cells, differing).flatMap((group) => {
    const below = group.filter((cell) => hasLevels(cell, to));
    return group
      .filter((cell) => hasLevels(cell, of))
      .flatMap((above) =>
        below.map((one) => ({ what: between(above, one, differing), quantity, of: above, to: one, ...bounds })),
      );
  });
}

/** Each but the first is no more than the one before. Groups in which a level was never planned say nothing. */
function orderClaims({ quantity, by, order, tolerance }: Kind<"order">, cells: readonly Cell[]): Claim[] {
  return alikeBut(cells, [by]).flatMap((group) => {
    const inOrder = order.flatMap((level) => group.find(({ conditions }) => conditions[by] === level) ?? []);
    if (inOrder.length < order.length) return [];
    return pairs(inOrder).map(([before, after]) => ({
      ...{ what: between(after, before, [by]), quantity, of: after, to: before, most: 1 + tolerance },
    }));
  });
}

function trendClaims({ quantity, along, direction, tolerance }: Kind<"trend">, cells: readonly Cell[]): Claim[] {
  return alikeBut(cells, [along]).flatMap((group) => {
    const sorted = group.toSorted((a, b) => compareLevels(a.conditions[along], b.conditions[along]));
    // What drifts a little at each step is not flat: it is compared with where it began.
    const steps =
      direction === "flat" ? sorted.slice(1).map((cell) => [sorted[0] as Cell, cell] as const) : pairs(sorted);
    return steps.map(([before, after]) => ({
      ...{ what: between(after, before, [along]), quantity, of: after, to: before },
      ...(direction === "falls" ? {} : { least: 1 - tolerance }),
      ...(direction === "grows" ? {} : { most: 1 + tolerance }),
    }));
  });
}

function saturationClaims({ quantity, along, from, tolerance }: Kind<"saturation">, cells: readonly Cell[]): Claim[] {
  const lowIsGain = QUANTITIES[quantity].better === "lower";
  return alikeBut(cells, [along]).flatMap((group) => {
    const there = group.find(({ conditions }) => conditions[along] === from);
    if (!there) return [];
    return group
      .filter(({ conditions }) => compareLevels(conditions[along], from as Level) > 0)
      .map((cell) => ({
        ...{ what: between(cell, there, [along]), quantity, of: cell, to: there },
        ...(lowIsGain ? { least: 1 - tolerance } : { most: 1 + tolerance }),
      }));
  });
}

function pairs(cells: readonly Cell[]): (readonly [Cell, Cell])[] {
  return cells.slice(1).map((cell, i) => [cells[i] as Cell, cell] as const);
}

/** `workers=2 / workers=1 (distribution=shared)`. */
function between(of: Cell, to: Cell, differing: Parameters<typeof without>[1]): string {
  const named = ({ conditions }: Cell): Levels =>
    Object.fromEntries(differing.map((factor) => [factor, conditions[factor]] as const));
  const rest = describe(without(of.levels, differing));
  return `${describe(named(of))} / ${describe(named(to))}${rest === "" ? "" : ` (${rest})`}`;
}
