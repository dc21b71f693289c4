/**
 * Whether one run differs from another: B beside A, cell by cell and over all cells together.
 *
 * All of a comparison's tests are one family: together they find a difference where there is none in less than 5 of 100
 * comparisons. Half of the tests' error is for the quantities over all cells, half for the single cells, each half
 * corrected by Holm. What is found must also be worth telling (`leastEffect`), and more than either run moved while it
 * was made.
 */
import { median } from "simple-statistics";
import { VnflabError } from "../../model/error.js";
import type { Conditions, Levels } from "../../model/experiment/experiment.js";
import { FACTOR_NAMES } from "../../model/experiment/factors.js";
import { QUANTITIES, type QuantityName } from "../../model/experiment/quantities.js";
import type { Run } from "../../model/experiment/run-folder.js";
import { type Random, randomOf } from "../../model/random.js";
import { type BootstrapOptions, bootstrapInterval, coverageOf, type Interval } from "../statistics/bootstrap.js";
import { type Cell, cellsOf } from "../statistics/cells.js";
import { driftOf } from "../statistics/drift.js";
import { cliffsDelta, typicalRatio } from "../statistics/effect.js";
import { holm } from "../statistics/holm.js";
import { rankTest } from "../statistics/rank-test.js";
import { ratioOf } from "../statistics/ratio.js";
import { whyTheyDiffer } from "./why-they-differ.js";

export interface CompareOptions extends Pick<BootstrapOptions, "resamples"> {
  /** Part by which B must be more or less than A to be told of; 0.05. */
  readonly leastEffect?: number;
}

export const LEAST_EFFECT = 0.05;
/** Half of the 5 of 100 that may be wrong: a run's repetitions are not wholly independent, as a host changes slowly. */
const ALPHA = 0.025;

export interface Difference {
  readonly quantity: QuantityName;
  /** Median of B by median of A; over several cells the geometric mean of theirs. */
  readonly ratio: number;
  readonly interval: Interval;
  /** Of the rank test, before the correction. */
  readonly p: number;
  /** After it: below 0.025 is a difference. */
  readonly corrected: number;
  /** Of so many values no difference, however large, gives a lower p than this (before the correction). */
  readonly leastP: number;
  readonly flag: "worse" | "better" | "changed" | "none";
  /** Why a difference that the test sees is not flagged. */
  readonly because?: string;
}

export interface CellDifference extends Difference {
  readonly levels: Levels;
  readonly conditions: Conditions;
  readonly n: readonly [number, number];
  readonly medians: readonly [number, number];
  /** How surely the interval can hold the true ratio at best. */
  readonly coverage: number;
  /** Hodges and Lehmann's shift as a factor. */
  readonly typicalRatio: number;
  readonly cliffsDelta: number;
}

export interface QuantityDifference extends Difference {
  readonly cells: number;
  /** By which part A and B moved while they were made. */
  readonly drift: readonly [number, number];
}

export interface NotCompared {
  readonly levels: Levels;
  readonly why: string;
}

export interface RunsCompared {
  readonly a: string;
  readonly b: string;
  readonly leastEffect: number;
  readonly quantities: readonly QuantityDifference[];
  /** Empty when there is one cell only: it is the whole then. */
  readonly cells: readonly CellDifference[];
  /** Cells that have figures in A, and in B nothing but failures: worse than slow. */
  readonly lost: readonly NotCompared[];
  readonly notCompared: readonly NotCompared[];
  /** What else than the code differs between the runs. */
  readonly warnings: readonly string[];
  readonly worse: boolean;
  readonly better: boolean;
  /** Of a quantity of which neither more nor less is better. */
  readonly changed: boolean;
}

/** Throws VNF_RUNS_DIFFER when no cell of the two has figures of the same quantity. */
export function compareRuns(a: Run, b: Run, options: CompareOptions = {}): RunsCompared {
  const leastEffect = options.leastEffect ?? LEAST_EFFECT;
  const sides = [cellsOf(a, options), cellsOf(b, options)] as const;
  const { pairs, lost, notCompared } = matchCells(...sides);
  const names = quantityNames.filter((name) => pairs.some((pair) => figuresOf(pair, name) !== undefined));
  if (names.length === 0 && lost.length === 0) {
    throw new VnflabError(
      "VNF_RUNS_DIFFER",
      `${a.manifest.run} and ${b.manifest.run} have no measured cell in common`,
      {
        hint: "Compare runs of the same experiment; `vnflab results show RUN` lists the cells of each.",
      },
    );
  }
  const seed = a.manifest.experiment.seed;
  const family = pairs.length > 1 ? 2 : 1;
  const drifts = new Map(
    names.map((name) => [name, [driftOf(a, sides[0], name), driftOf(b, sides[1], name)] as const]),
  );
  const judged = (all: readonly Untested[]) =>
    holm(all.map(({ p }) => p)).map((p, i) => {
      const one = all[i] as Untested;
      const corrected = Math.min(1, family * p);
      return {
        ...one,
        corrected,
        ...flagOf(one, corrected, leastEffect, Math.max(...(drifts.get(one.quantity) ?? [0]))),
      };
    });
  const quantities = judged(
    names.map((name) => ({
      ...overAll(name, pairs, randomOf(seed, name, "all"), options),
      drift: drifts.get(name),
    })),
  ) as QuantityDifference[];
  const cells =
    pairs.length < 2
      ? []
      : (judged(
          names.flatMap((name) =>
            pairs.flatMap((pair) => inCell(name, pair, randomOf(seed, name, pair.a.cell), options) ?? []),
          ),
        ) as CellDifference[]);
  const flags = new Set([...quantities, ...cells].map(({ flag }) => flag));
  return {
    ...{ a: a.manifest.run, b: b.manifest.run, leastEffect, quantities, cells, lost, notCompared },
    warnings: whyTheyDiffer(a, b),
    ...{ worse: flags.has("worse") || lost.length > 0, better: flags.has("better"), changed: flags.has("changed") },
  };
}

const quantityNames = Object.keys(QUANTITIES) as QuantityName[];

interface Pair {
  readonly a: Cell;
  readonly b: Cell;
}

/** Cells are the same when all conditions and the kind of machine are, whatever the experiment is called. */
function matchCells(as: readonly Cell[], bs: readonly Cell[]) {
  const keyOf = ({ conditions, setup }: Cell) =>
    [setup.machines, ...FACTOR_NAMES.map((factor) => `${factor}=${conditions[factor]}`)].join(" ");
  const speed = (cells: readonly Cell[]) => cells.filter(({ telemetry }) => !telemetry);
  const others = new Map(speed(bs).map((cell) => [keyOf(cell), cell]));
  const pairs: Pair[] = [];
  const lost: NotCompared[] = [];
  const notCompared: NotCompared[] = [];
  for (const a of speed(as)) {
    const b = others.get(keyOf(a));
    others.delete(keyOf(a));
    const levels = a.levels;
    if (!b) notCompared.push({ levels, why: "only in A" });
    else if (a.measured > 0 && b.measured > 0) pairs.push({ a, b });
    else if (a.measured > 0 && b.failed.length > 0) lost.push({ levels, why: b.failed[0]?.reasons[0] ?? "failed" });
    else notCompared.push({ levels, why: `no figures in ${a.measured > 0 ? "B" : b.measured > 0 ? "A" : "either"}` });
  }
  for (const { levels } of others.values()) notCompared.push({ levels, why: "only in B" });
  return { pairs, lost, notCompared };
}

/** Values of both sides; undefined where one has none, or nothing that a ratio could be taken to. */
function figuresOf({ a, b }: Pair, name: QuantityName): { a: number[]; b: number[] } | undefined {
  const [left, right] = [a.quantities[name], b.quantities[name]];
  if (!left || !right || left.least <= 0) return undefined;
  return { a: left.values.map(({ value }) => value), b: right.values.map(({ value }) => value) };
}

type Untested = Omit<Difference, "corrected" | "flag" | "because">;

function inCell(name: QuantityName, pair: Pair, random: Random, options: CompareOptions): Untested | undefined {
  const figures = figuresOf(pair, name);
  if (!figures) return undefined;
  const { a, b } = figures;
  const { value: ratio, interval } = ratioOf(b, a, random, options);
  const cell: Omit<CellDifference, "corrected" | "flag"> = {
    ...{
      quantity: name,
      levels: pair.a.levels,
      conditions: pair.a.conditions,
      ratio,
      interval,
      ...rankTest([{ a, b }]),
    },
    ...{
      n: [a.length, b.length],
      medians: [median(a), median(b)],
      coverage: Math.min(...[a, b].map((x) => coverageOf(x.length))),
    },
    ...{ typicalRatio: typicalRatio(a, b), cliffsDelta: cliffsDelta(a, b) },
  };
  return cell;
}

/** The mean of the cells' log ratios, each cell drawn from by itself; and one rank test over all cells. */
function overAll(name: QuantityName, pairs: readonly Pair[], random: Random, options: CompareOptions) {
  const strata = pairs.flatMap((pair) => figuresOf(pair, name) ?? []);
  // A cell in which B came to nothing counts in the test of ranks; a mean of ratios it would make nothing, too.
  const some = strata.filter(({ b }) => Math.min(...b) > 0);
  const mean = (drawn: readonly (readonly number[])[]) => {
    let logs = 0;
    for (let i = 0; i < drawn.length; i += 2)
      logs += Math.log(median([...(drawn[i + 1] ?? [])]) / median([...(drawn[i] ?? [])]));
    return Math.exp(logs / (drawn.length / 2));
  };
  const samples = some.flatMap(({ a, b }) => [a, b]);
  return {
    quantity: name,
    cells: strata.length,
    ...(some.length > 0
      ? {
          ratio: mean(samples),
          interval: bootstrapInterval(samples, mean, random, options),
        }
      : { ratio: 0, interval: { low: 0, high: 0 } }),
    ...rankTest(strata),
  };
}

function flagOf(
  { quantity, ratio, interval }: Untested,
  corrected: number,
  leastEffect: number,
  drift: number,
): Pick<Difference, "flag" | "because"> {
  if (corrected >= ALPHA) return { flag: "none" };
  const effect = Math.abs(ratio - 1);
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
  if (interval.low <= 1 && 1 <= interval.high) return { flag: "none", because: "its interval holds 1" };
  if (effect < leastEffect) return { flag: "none", because: `less than ${percent(leastEffect)}` };
  if (effect <= drift) return { flag: "none", because: `a run moved by ${percent(drift)} while it was made` };
  const { better } = QUANTITIES[quantity];
  if (better === "neither") return { flag: "changed" };
  return { flag: (better === "higher") === ratio > 1 ? "better" : "worse" };
}
