/** A figure as it stands in the page, between the report that writes it there and the script that draws it. */
import type { Spec } from "vega";

export interface PageFigure {
  readonly rows: readonly object[];
  /** Compiled for much room and for little; both take `rows` as their data `points`. */
  readonly wide: Spec;
  readonly narrow: Spec;
  /** The signal with the width of a plot, and how many of them stand side by side where there is room. */
  readonly width: "width" | "child_width";
  readonly columns: number;
}
