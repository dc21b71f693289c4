/** The order in which a report names levels and cells: the experiment's own, as chance decides that of its trials. */
import type { Experiment, FactorName, Level } from "../../model/experiment/experiment.js";
import type { Cell } from "../statistics/cells.js";

export type CompareLevels = (name: FactorName, a: Level, b: Level) => number;

/** Numbers by their size, names as the experiment's file has them. */
export function levelOrder({ factors }: Experiment): CompareLevels {
  const places = new Map(factors.map(({ name, levels }) => [name, levels]));
  return (name, a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    const levels = places.get(name) ?? [];
    return levels.indexOf(a) - levels.indexOf(b);
  };
}

export function sortedBy(cells: readonly Cell[], names: readonly FactorName[], compare: CompareLevels): Cell[] {
  return cells.toSorted(
    (a, b) => names.map((name) => compare(name, a.conditions[name], b.conditions[name])).find((n) => n !== 0) ?? 0,
  );
}
