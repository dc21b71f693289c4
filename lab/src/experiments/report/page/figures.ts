/**
 * Figures drawn again in the browser: as wide as the page, with a tooltip for each point. Colours of axes and letters are
 * the style sheet's, so neither the theme nor the printer needs a new drawing.
 */
import { parse, type Spec, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { Handler } from "vega-tooltip";
import type { PageFigure } from "./page-figure.js";

const NARROW_PX = 560;
const NARROWEST_PX = 120;

export function drawFigures(): void {
  const tooltip = new Handler({ disableDefaultStyle: true });
  for (const place of document.querySelectorAll<HTMLElement>(".plot")) {
    const data = document.querySelector(`#${place.id}-data`)?.textContent;
    if (data) drawIn(place, JSON.parse(data), tooltip);
  }
}

function drawIn(place: HTMLElement, figure: PageFigure, tooltip: Handler): void {
  const alternative = place.getAttribute("aria-label") ?? "";
  let drawn = 0;
  let narrow: boolean | undefined;
  let view: View | undefined;
  const fit = async () => {
    const width = Math.floor(place.clientWidth);
    // Hidden or unchanged: a drawing changes the page's height, which is no reason for another.
    if (width === 0 || width === drawn) return;
    drawn = width;
    if (!view || narrow !== width < NARROW_PX) {
      narrow = width < NARROW_PX;
      view?.finalize();
      view = viewIn(place, narrow ? figure.narrow : figure.wide, figure.rows, tooltip).description(alternative);
    }
    await fitTo(view, place, width, figure.width, narrow ? 1 : figure.columns);
  };
  new ResizeObserver(() => void fit()).observe(place);
}

function viewIn(place: HTMLElement, spec: Spec, rows: readonly object[], tooltip: Handler): View {
  const data = (spec.data ?? []).map((one) => (one.name === "points" ? { ...one, values: [...rows] } : one));
  // With an interpreter, because the page allows no code that is made of text.
  const runtime = parse({ ...spec, data } as Spec, undefined, { ast: true });
  const view = new View(runtime, { renderer: "svg", expr: expressionInterpreter });
  place.textContent = "";
  return view.initialize(place).hover().tooltip(tooltip.call);
}

/** Drawn to see what axes and legends take, then with what is left to the plots. */
async function fitTo(view: View, place: HTMLElement, width: number, signal: string, columns: number): Promise<void> {
  let inner = Math.floor(width / columns);
  for (let round = 0; round < 4; round += 1) {
    // The second run is for the drawing's own size, which Vega lays out after the first.
    await view.signal(signal, inner).runAsync();
    await view.resize().runAsync();
    const rest = width - Number(place.querySelector("svg")?.getAttribute("width") ?? width);
    if (rest >= 0 && rest < 2 * columns) return;
    inner = Math.max(NARROWEST_PX, inner + Math.floor(rest / columns));
  }
}
