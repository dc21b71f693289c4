/** What a figure of an experiment shows: the cells that it speaks of, as points with their trials. */
import type { Experiment, FactorName, Figure, Level } from "../../model/experiment/experiment.js";
import { FACTORS, formatLevel } from "../../model/experiment/factors.js";
import { QUANTITIES, type Quantity } from "../../model/experiment/quantities.js";
import type { Cell, CellFigures } from "../statistics/cells.js";
import { hasLevels, whyNone } from "../statistics/match-cells.js";
import { type CompareLevels, levelOrder, sortedBy } from "./level-order.js";
import type { ReportFigure, ReportPoint } from "./report.js";
import { axisTitle, formatNumber, labelOf, withUnit } from "./words.js";

export function figureData(experiment: Experiment, figure: Figure, cells: readonly Cell[]): Omit<ReportFigure, "id"> {
  const compare = levelOrder(experiment);
  const { telemetry, title, unit, workloads }: Quantity = QUANTITIES[figure.quantity];
  const chosen = cells.filter(
    (cell) =>
      cell.telemetry === telemetry && workloads.includes(cell.conditions.workload) && hasLevels(cell, figure.where),
  );
  const series = seriesFactors(figure, chosen);
  // Chance decides the order of the trials; that of the names is the experiment's own.
  const meant = sortedBy(chosen, [...series, ...(figure.facet ? [figure.facet] : []), figure.x], compare);
  const seriesOf = (cell: Cell) => labelOf(pick(cell, series));
  const measured = meant.filter((cell) => cell.quantities[figure.quantity]);
  const points = measured.flatMap((cell) => {
    const figures = cell.quantities[figure.quantity];
    return figures ? [pointOf(cell, figures, seriesOf(cell), figure)] : [];
  });
  const shape = {
    title: figure.title,
    quantity: figure.quantity,
    mark: figure.mark,
    x: axisOf(figure, measured, compare),
    y: { title: withUnit(title, unit), log: (figure.log?.includes("y") ?? false) && points.every(positive) },
    series: { title: series.join(", "), names: distinct(meant.map(seriesOf)) },
    ...facetOf(figure, points),
    points,
  };
  return {
    ...shape,
    alternative: inWords(shape),
    absent: meant
      .filter((cell) => !measured.includes(cell))
      .map((cell) => ({ label: labelOf(cell.levels), reason: whyNone(cell, figure.quantity) })),
  };
}

function pointOf(cell: Cell, figures: CellFigures, series: string, { x, facet }: Figure): ReportPoint {
  return {
    ...{ cell: cell.cell, series, x: axisLevel(x, cell.conditions[x]) },
    ...(facet ? { facet: labelOf({ [facet]: cell.conditions[facet] }) } : {}),
    median: figures.median,
    ...(figures.interval ? { interval: { ...figures.interval } } : {}),
    values: figures.values.map((value) => ({ ...value })),
  };
}

/** Shares and times as people write them: on an axis of numbers 0, 0.01 % and 0.1 % would share a place. */
function axisLevel(name: FactorName, level: Level): Level {
  return FACTORS[name].levels.kind === "whole" ? level : formatLevel(name, level);
}

function axisOf({ x, log, mark }: Figure, cells: readonly Cell[], compare: CompareLevels): ReportFigure["x"] {
  const levels = distinct(cells.map(({ conditions }) => conditions[x])).toSorted((a, b) => compare(x, a, b));
  const numbers = mark === "line" && FACTORS[x].levels.kind === "whole";
  const logarithmic = log?.includes("x") && levels.every((level) => Number(level) > 0);
  return {
    ...{ factor: x, title: axisTitle(x), levels: levels.map((level) => axisLevel(x, level)) },
    scale: numbers ? (logarithmic ? "log" : "linear") : "names",
  };
}

/** Those that the figure names, and any other in which its cells differ: two cells never share a place. */
function seriesFactors({ x, facet, series, where }: Figure, cells: readonly Cell[]): FactorName[] {
  const varied = distinct(cells.flatMap((cell) => Object.keys(cell.levels) as FactorName[]));
  const taken = [x, facet, ...series, ...Object.keys(where)];
  const more = varied.filter((name) => !taken.includes(name) && distinct(cells.map((c) => c.levels[name])).length > 1);
  const places = distinct(cells.map((cell) => JSON.stringify(pick(cell, [x, ...(facet ? [facet] : []), ...series]))));
  return places.length < cells.length ? [...series, ...more] : [...series];
}

function pick(cell: Cell, names: readonly FactorName[]) {
  return Object.fromEntries(names.map((name) => [name, cell.conditions[name]]));
}

function facetOf({ facet }: Figure, points: readonly ReportPoint[]): Pick<ReportFigure, "facet"> {
  if (!facet) return {};
  return { facet: { title: axisTitle(facet), names: distinct(points.flatMap((point) => point.facet ?? [])) } };
}

/** Nothing that is not above 0 has a place on a logarithmic axis. */
function positive({ values, interval }: ReportPoint): boolean {
  return values.every(({ value }) => value > 0) && (interval?.low ?? 1) > 0;
}

function inWords({ points, series, x, y, mark }: Pick<ReportFigure, "points" | "series" | "x" | "y" | "mark">): string {
  const kind = mark === "line" ? "Lines" : "Bars";
  if (points.length === 0) return `${kind} of ${y.title} along ${x.title}: no figures.`;
  const lines = series.names.map((name) => {
    const own = points.filter((point) => point.series === name);
    const values = own.map((point) => `${facetWords(point)}${point.x}: ${formatNumber(point.median)}`);
    return `${name}: ${values.join("; ")}.`;
  });
  return `${kind} of ${y.title} along ${x.title}, medians. ${lines.join(" ")}`;
}

const facetWords = ({ facet }: ReportPoint) => (facet === undefined ? "" : `${facet}, `);

function distinct<T>(all: readonly T[]): T[] {
  return [...new Set(all)];
}
