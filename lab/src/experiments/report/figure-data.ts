/** What a figure of an experiment shows: the cells that it speaks of, as points with their trials. */
import type { Experiment, FactorName, Figure } from "../../model/experiment/experiment.js";
import { QUANTITIES, type Quantity } from "../../model/experiment/quantities.js";
import type { Cell, CellFigures } from "../statistics/cells.js";
import { hasLevels, whyNone } from "../statistics/match-cells.js";
import { levelOrder, sortedBy } from "./level-order.js";
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
  const points = meant.flatMap((cell) => {
    const figures = cell.quantities[figure.quantity];
    return figures ? [pointOf(cell, figures, seriesOf(cell), figure)] : [];
  });
  const shape = {
    title: figure.title,
    quantity: figure.quantity,
    mark: figure.mark,
    x: {
      factor: figure.x,
      title: axisTitle(figure.x),
      levels: distinct(points.map(({ x }) => x)).toSorted((a, b) => compare(figure.x, a, b)),
      log: figure.log?.includes("x") ?? false,
    },
    y: { title: withUnit(title, unit), log: (figure.log?.includes("y") ?? false) && points.every(positive) },
    series: { title: series.join(", "), names: distinct(meant.map(seriesOf)) },
    ...facetOf(figure, points),
    points,
  };
  return {
    ...shape,
    alternative: inWords(shape),
    absent: meant
      .filter((cell) => !cell.quantities[figure.quantity])
      .map((cell) => ({ label: labelOf(cell.levels), reason: whyNone(cell, figure.quantity) })),
  };
}

function pointOf(cell: Cell, figures: CellFigures, series: string, { x, facet }: Figure): ReportPoint {
  return {
    ...{ cell: cell.cell, series, x: cell.conditions[x] },
    ...(facet ? { facet: labelOf({ [facet]: cell.conditions[facet] }) } : {}),
    median: figures.median,
    ...(figures.interval ? { interval: { ...figures.interval } } : {}),
    values: figures.values.map((value) => ({ ...value })),
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
