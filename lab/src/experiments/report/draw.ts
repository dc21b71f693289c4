/** A figure's pictures: SVG by Vega, without a browser, and PNG from it, with letters that come with the package. */
import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";
import { logger, None, parse, type Spec, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

const FONTS = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) =>
  createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${file}`),
);

/** What it would say of odd data belongs on no terminal: the figure shows it. */
const SILENT = logger(None);

/** What Vega itself runs: a page needs no compiler then. */
export function compiled(spec: TopLevelSpec): Spec {
  return compile(spec, { logger: SILENT }).spec;
}

export async function drawSvg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compiled(spec)), { renderer: "none", logger: SILENT });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** Twice the size in pixels, on white, for slides and documents. The same everywhere: no font of the system is used. */
export function drawPng(svg: string): Uint8Array {
  const options = {
    background: "#ffffff",
    fitTo: { mode: "zoom" as const, value: 2 },
    font: { loadSystemFonts: false, fontFiles: FONTS, defaultFontFamily: "DejaVu Sans" },
  };
  return new Resvg(svg, options).render().asPng();
}
