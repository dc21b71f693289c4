/** Finding cells by their levels. */
import type { FactorName, Level, Levels } from "../../model/experiment/experiment.js";
import { FACTOR_NAMES, formatLevel } from "../../model/experiment/factors.js";
import type { QuantityName } from "../../model/experiment/quantities.js";
import type { Cell } from "./cells.js";
import { groupBy } from "./group-by.js";

/** A level that the cell does not vary counts too. */
export function hasLevels({ conditions }: Cell, levels: Levels): boolean {
  return factorsOf(levels).every((factor) => conditions[factor] === levels[factor]);
}

export function factorsOf(levels: Levels): FactorName[] {
  return FACTOR_NAMES.filter((factor) => levels[factor] !== undefined);
}

/** Groups whose cells differ in the named factors alone. */
export function alikeBut(cells: readonly Cell[], factors: readonly FactorName[]): Cell[][] {
  return [...groupBy(cells, ({ levels, telemetry }) => `${describe(without(levels, factors))} ${telemetry}`).values()];
}

/** `distribution=shared workers=2`. */
export function describe(levels: Levels): string {
  return factorsOf(levels)
    .map((factor) => `${factor}=${formatLevel(factor, levels[factor] as Level)}`)
    .join(" ");
}

export function without(levels: Levels, factors: readonly FactorName[]): Levels {
  return Object.fromEntries(
    factorsOf(levels)
      .filter((factor) => !factors.includes(factor))
      .map((factor) => [factor, levels[factor]]),
  );
}

export function compareLevels(a: Level, b: Level): number {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
}

/** Why a cell gives no figures of a quantity that can be judged. */
export function whyNone(cell: Cell | undefined, quantity: QuantityName): string {
  if (!cell) return "not part of this run";
  const [without_] = [...cell.unavailable, ...cell.failed];
  const first = without_?.reasons[0] ?? "";
  if (cell.unavailable.length > 0) return `unavailable: ${first}`;
  if (cell.failed.length > 0) return `${cell.failed.length} of ${cell.planned} trials failed: ${first}`;
  if (cell.missing.length > 0) return `${cell.missing.length} of ${cell.planned} trials were not run`;
  return `it measures no ${quantity}`;
}
