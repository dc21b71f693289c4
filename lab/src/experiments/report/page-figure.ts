/** A figure as the page's script takes it: compiled already, its data once. page/figures.ts draws it. */
import type { Spec } from "vega";
import { compiled } from "./draw.js";
import { figureRows, figureSpec, ROWS } from "./figure-spec.js";
import type { PageFigure } from "./page/page-figure.js";
import type { ReportFigure } from "./report.js";

export function pageFigure(figure: ReportFigure): PageFigure {
  const { facet } = figure;
  return {
    rows: figureRows(figure),
    wide: withoutRows(compiled(figureSpec(figure))),
    narrow: withoutRows(compiled(figureSpec(figure, { narrow: true }))),
    width: facet ? "child_width" : "width",
    columns: facet ? Math.min(2, Math.max(1, facet.names.length)) : 1,
  };
}

function withoutRows(spec: Spec): Spec {
  const data = (spec.data ?? []).map((one) => (one.name === ROWS ? { name: ROWS } : one));
  return { ...spec, data };
}
