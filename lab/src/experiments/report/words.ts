/** Numbers, levels and cells as people read them, the same in all forms of a report. */
import type { FactorName, Level, Levels } from "../../model/experiment/experiment.js";
import { FACTORS, formatLevel, isFactorName } from "../../model/experiment/factors.js";

const figures = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });

/** Four significant digits: a run's interval is never narrower. */
export function formatNumber(value: number): string {
  return figures.format(value);
}

/** The quantity's or the factor's name with its unit, as an axis says it. */
export function withUnit(title: string, unit: string): string {
  return unit === "" ? title : `${title} (${unit})`;
}

/** Levels of shares and times have their units with them. */
export function axisTitle(name: FactorName): string {
  const { title, unit, levels } = FACTORS[name];
  return levels.kind === "whole" ? withUnit(title, unit) : title;
}

/** `workers 2` for a number, `shared` for a name. */
function levelInWords(name: string, level: Level): string {
  if (!isFactorName(name)) return `${name} ${level}`;
  // The kernel distributes in its own way, which has no name here.
  if (name === "distribution" && level === "none") return "kernel";
  const { title, levels } = FACTORS[name];
  return levels.kind === "choice" ? String(level) : `${title} ${formatLevel(name, level)}`;
}

/** `libmtcp, shared, workers 2`: enough to tell the cells of one experiment from each other. */
export function labelOf(levels: Levels): string {
  const words = Object.entries(levels).map(([name, level]) => levelInWords(name, level));
  return [...new Set(words)].join(", ") || "all trials";
}
