/**
 * How far a run's figures moved in the course of it, for no reason that the plan knows. Two runs are made one after the
 * other, so a difference that is no larger than that may be the time's and not the code's.
 */
import { median } from "simple-statistics";
import type { QuantityName } from "../../model/experiment/quantities.js";
import type { Run } from "../../model/experiment/run-folder.js";
import type { Cell } from "./cells.js";
import { groupBy } from "./group-by.js";

/** Trials of each half below which chance alone moves the halves apart. */
const ENOUGH = 4;

/**
 * By what part the second half of the run (of each setup's trials, which stand together in time) is above or below the
 * first, each trial taken relative to its cell; 0 when there are too few trials to say.
 */
export function driftOf(run: Run, cells: readonly Cell[], quantity: QuantityName): number {
  const started = new Map(run.results.map(({ trial, startedAt }) => [trial, Date.parse(startedAt)]));
  const halves = [...groupBy(cells, ({ setup }) => JSON.stringify(setup)).values()].map((together) => {
    const inTime = together
      .flatMap((cell) => relative(cell, quantity))
      .toSorted((a, b) => (started.get(a.trial) ?? 0) - (started.get(b.trial) ?? 0));
    const middle = inTime.length >> 1;
    return { early: inTime.slice(0, middle), late: inTime.slice(inTime.length - middle) };
  });
  const early = halves.flatMap((half) => half.early.map(({ value }) => value));
  const late = halves.flatMap((half) => half.late.map(({ value }) => value));
  if (early.length < ENOUGH) return 0;
  return Math.abs(median(late) / median(early) - 1);
}

function relative({ quantities }: Cell, quantity: QuantityName): { trial: string; value: number }[] {
  const figures = quantities[quantity];
  if (!figures || figures.n < 2 || figures.median <= 0) return [];
  return figures.values.map(({ trial, value }) => ({ trial, value: value / figures.median }));
}
