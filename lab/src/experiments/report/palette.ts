/**
 * Colours that people with any colour vision can tell apart (Okabe and Ito, "Color Universal Design", 2008), without its
 * yellow and black, which vanish on white or on a dark page. A series has a shape and a dash besides, for those who see
 * or print no colours.
 */
export const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"] as const;
export const SHAPES = [
  "circle",
  "square",
  "triangle-up",
  "diamond",
  "cross",
  "triangle-down",
  "triangle-right",
  "triangle-left",
] as const;
export const DASHES: readonly (readonly number[])[] = [
  ...[
    [1, 0],
    [6, 3],
    [2, 2],
    [8, 3, 2, 3],
    [4, 1],
    [1, 3],
    [10, 2],
    [6, 2, 1, 2],
  ],
];
