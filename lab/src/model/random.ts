/** Chance that can be had again: the same seed gives the same numbers. */

export interface Random {
  /** From and to inclusive. */
  whole(from: number, to: number): number;
  /** From 0, which it may be, to 1, which it never is. */
  part(): number;
}

/** Different texts after the same seed give numbers that have nothing to do with each other. */
export function randomOf(seed: number, ...texts: readonly (string | number)[]): Random {
  let state = hash(`${seed} ${texts.join(" ")}`);
  // mulberry32: 32 bits of state, good enough for choices.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { whole: (from, to) => from + Math.floor(next() * (to - from + 1)), part: next };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value | 0;
}
