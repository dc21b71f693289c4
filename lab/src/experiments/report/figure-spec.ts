/** A figure -> the Vega-Lite that draws it: medians with their intervals, and each trial as a small point. */
import type { TopLevelSpec } from "vega-lite";
import { COLOURS, DASHES, SHAPES } from "./palette.js";
import type { ReportFigure } from "./report.js";
import { formatNumber } from "./words.js";

/** The data's name in a specification. */
export const ROWS = "points";
const WIDTH = 560;
const HEIGHT = { alone: 300, facet: 200 } as const;
const FACET_WIDTH = 260;

/** Names that no data can change: an encoding's field is an expression to Vega. */
interface Row {
  readonly x: string | number;
  readonly series: string;
  readonly facet: string;
  readonly cell: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly text: string;
  readonly n: number;
}

interface TrialRow extends Omit<Row, "median" | "low" | "high" | "text" | "n"> {
  readonly value: number;
  readonly trial: string;
  readonly remark: string;
}

export interface SpecOptions {
  /** Lines above the plot; a page has them as its own text. */
  readonly heading?: { readonly title: string; readonly lines: readonly string[] };
  /** All below each other. */
  readonly narrow?: boolean;
}

export function figureSpec(figure: ReportFigure, { heading, narrow = false }: SpecOptions = {}): TopLevelSpec {
  const layers = { layer: layersOf(figure) };
  const size = figure.facet ? { width: FACET_WIDTH, height: HEIGHT.facet } : { width: WIDTH, height: HEIGHT.alone };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: figure.alternative,
    background: "transparent",
    padding: 8,
    ...(heading ? { title: { text: heading.title, subtitle: [...heading.lines] } } : {}),
    data: { name: ROWS, values: figureRows(figure) },
    ...(figure.facet
      ? {
          facet: { field: "facet", type: "nominal", title: figure.facet.title, sort: [...figure.facet.names] },
          columns: narrow ? 1 : 2,
          spec: { ...layers, ...size },
        }
      : { ...layers, ...size }),
    config: { ...CONFIG, legend: { ...CONFIG.legend, columns: narrow ? 1 : 3 } },
  } as TopLevelSpec;
}

const CONFIG = {
  font: "DejaVu Sans, system-ui, sans-serif",
  axis: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", gridOpacity: 0.6, labelOverlap: true },
  legend: {
    orient: "top",
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    labelLimit: 400,
    symbolSize: 90,
    symbolOpacity: 1,
    symbolStrokeWidth: 0,
  },
  header: { labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
  title: { anchor: "start", fontSize: 15, subtitleFontSize: 11, subtitlePadding: 6, offset: 12 },
  view: { stroke: null },
} as const;

/** One of each median, and one of each trial. */
export function figureRows(figure: ReportFigure): (Row | TrialRow)[] {
  return [...medianRows(figure), ...trialRows(figure)];
}

function medianRows({ points }: ReportFigure): Row[] {
  return points.map(({ x, series, facet = "", cell, median, interval, values }) => ({
    ...{ x, series, facet, cell, median },
    ...{ low: interval?.low ?? median, high: interval?.high ?? median },
    text: interval ? `${formatNumber(interval.low)} to ${formatNumber(interval.high)}` : "none: one value",
    n: values.length,
  }));
}

function trialRows({ points }: ReportFigure): TrialRow[] {
  return points.flatMap(({ x, series, facet = "", cell, values }) =>
    values.map(({ trial, value, outlier, repetition }) => ({
      ...{ x, series, facet, cell, value, trial },
      remark: `repetition ${repetition}${outlier ? ", stands apart" : ""}`,
    })),
  );
}

function layersOf(figure: ReportFigure) {
  const encode = sharedEncoding(figure);
  const only = (field: string) => [{ filter: `isValid(datum.${field})` }];
  const y = (field: string) => ({ field, type: "quantitative", title: figure.y.title, scale: yScale(figure) });
  const tooltip = (...fields: readonly (readonly [string, string])[]) =>
    ([["series", figure.series.title || "cell"], ["x", figure.x.title], ...fields] as const).map(([field, title]) => ({
      field,
      title,
      ...format(field),
    }));
  const medians = tooltip(
    ["median", `median, ${figure.y.title}`],
    ["text", "interval"],
    ["n", "trials"],
    ["cell", "cell"],
  );
  const trial = tooltip(["value", figure.y.title], ["trial", "trial"], ["remark", "which"]);
  const bars = figure.mark === "bar";
  const lines = {
    transform: only("median"),
    mark: { type: "line", strokeWidth: 2 },
    encoding: { ...encode, y: y("median"), ...dashed(figure) },
  };
  const columns = {
    name: "medians",
    transform: only("median"),
    mark: { type: "bar", opacity: 0.75 },
    encoding: { ...encode, y: y("median"), tooltip: medians },
  };
  const whiskers = {
    transform: only("median"),
    mark: { type: "rule", strokeWidth: 1.5, aria: false },
    encoding: { ...encode, ...(bars ? { color: { value: "#555555" } } : {}), y: y("low"), y2: { field: "high" } },
  };
  const points = {
    name: "medians",
    transform: only("median"),
    mark: { type: "point", filled: true, size: 70, opacity: 1 },
    encoding: { ...encode, y: y("median"), ...shaped(figure), tooltip: medians },
  };
  const trials = {
    name: "trials",
    transform: only("value"),
    // A reader of screens has the medians; hundreds of trials would hide them.
    // Beside the median, which would hide them; on a bar there is room.
    mark: {
      type: "point",
      aria: false,
      filled: true,
      size: 24,
      opacity: 0.6,
      ...(bars ? { fill: "#222222" } : { xOffset: 8 }),
    },
    encoding: { ...encode, y: y("value"), tooltip: trial },
  };
  return bars ? [columns, whiskers, trials] : [lines, whiskers, trials, points];
}

function format(field: string) {
  return field === "median" || field === "value" ? { type: "quantitative", format: ",.4r" } : { type: "nominal" };
}

/** Bars begin at 0, and so do lines: a difference is as large as it looks. */
function yScale({ y }: ReportFigure) {
  return y.log ? { type: "log", nice: false, padding: 16 } : { zero: true };
}

function sharedEncoding(figure: ReportFigure) {
  const { x, series, mark } = figure;
  const along =
    mark === "line" && x.scale !== "names"
      ? {
          type: "quantitative",
          scale: { ...(x.scale === "log" ? { type: "log" } : { zero: false }), nice: false, padding: 16 },
          axis: { values: x.levels, title: x.title, grid: false, format: "," },
        }
      : { type: "ordinal", sort: x.levels, axis: { title: x.title, labelAngle: 0, grid: false } };
  return {
    x: { field: "x", ...along },
    ...(mark === "bar" && series.names.length > 1 ? { xOffset: { field: "series", sort: series.names } } : {}),
    color: { field: "series", type: "nominal", title: series.title, ...ranged(figure, COLOURS) },
  };
}

function dashed(figure: ReportFigure) {
  return { strokeDash: { field: "series", type: "nominal", ...ranged(figure, DASHES) } };
}

function shaped(figure: ReportFigure) {
  return { shape: { field: "series", type: "nominal", title: figure.series.title, ...ranged(figure, SHAPES) } };
}

/** One scale for all channels, so that Vega draws one legend; with one series there is nothing to tell apart. */
function ranged({ series: { names } }: ReportFigure, range: readonly unknown[]) {
  const scale = { domain: [...names], range: names.map((_, i) => range[i % range.length]) };
  return { sort: [...names], scale, ...(names.length > 1 ? {} : { legend: null }) };
}
