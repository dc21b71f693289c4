/** Experiment -> trials. Pure: the same experiment, options and seed give the same trials in the same order. */
import { createHash } from "node:crypto";
import { VnflabError } from "../../model/error.js";
import type { Conditions, Experiment, FactorName, Level, Levels } from "../../model/experiment/experiment.js";
import { completeConditions, cpusOf, FACTOR_NAMES } from "../../model/experiment/factors.js";
import type { PlanOptions, Setup, Trial } from "../../model/experiment/trial.js";
import { groupBy } from "../statistics/group-by.js";
import { applyOptions } from "./apply-options.js";
import { orderTrials } from "./order.js";
import { type Rule, rulesOf } from "./rules.js";
import { shardOf } from "./shard.js";

/** Combinations of levels that are not measured. */
export interface LeftOut {
  readonly because: string;
  readonly combinations: number;
}

export interface Plan {
  /** As it is run: with all that the options change. */
  readonly experiment: Experiment;
  /** In the order in which they are run. */
  readonly trials: readonly Trial[];
  readonly leftOut: readonly LeftOut[];
}

/** Throws VNF_USAGE for options that do not fit the experiment, or leave nothing of it. */
export function planTrials(experiment: Experiment, options: PlanOptions): Plan {
  const planned = applyOptions(experiment, options);
  // Which level stands for all must not depend on which are chosen: else another choice would be another trial.
  const rules = rulesOf(applyOptions(experiment, { ...options, only: [] }));
  const { combinations, leftOut } = combine(planned, rules);
  if (combinations.length === 0) {
    const reasons = leftOut.map(({ because }) => because).join("; ");
    throw new VnflabError("VNF_USAGE", `nothing of ${experiment.name} is left to measure: ${reasons}`);
  }
  const cpus = cpusOfAll(combinations);
  const all = combinations.flatMap((combination) => trialsOf(planned, combination, cpus));
  const trials = options.shard ? shardOf(all, options.shard) : all;
  if (trials.length === 0) {
    const { index, count } = options.shard ?? { index: 1, count: 1 };
    throw new VnflabError(
      "VNF_USAGE",
      `part ${index} of ${count} is empty: ${experiment.name} has fewer groups of trials`,
    );
  }
  return { experiment: planned, trials: orderTrials(trials, planned.seed), leftOut };
}

/** Setups of a plan, in the order in which they come up. */
export function setupsOfTrials(trials: readonly Trial[]): Setup[] {
  const seen = new Map(trials.map(({ setup }) => [JSON.stringify(setup), setup]));
  return [...seen.values()];
}

interface Combination {
  readonly levels: Levels;
  readonly conditions: Conditions;
}

function combine(experiment: Experiment, rules: readonly Rule[]): { combinations: Combination[]; leftOut: LeftOut[] } {
  const reasons = new Map<string, string>();
  const found = new Map<string, Combination>();
  const combination = (levels: Levels): Combination => ({
    levels,
    conditions: completeConditions({ ...experiment.fixed, ...levels }),
  });
  for (const levels of product(experiment.factors)) {
    const one = combination(levels);
    const broken = rules.find((rule) => !rule.allows(one.conditions));
    if (broken) reasons.set(textOf(one.conditions), broken.because);
    else found.set(textOf(one.conditions), one);
  }
  // A load is a part of a peak, which is measured whether or not it was asked for, and whatever a constraint says of it.
  for (const { levels, conditions } of [...found.values()]) {
    if (conditions.load === 0) continue;
    const peak = combination({ ...levels, load: 0 });
    found.set(textOf(peak.conditions), peak);
    reasons.delete(textOf(peak.conditions));
  }
  const leftOut = [...groupBy(reasons.values(), (because) => because)].map(([because, all]) => ({
    ...{ because, combinations: all.length },
  }));
  return { combinations: [...found.values()], leftOut };
}

/** The first factor varies slowest. */
function product(factors: Experiment["factors"]): Levels[] {
  const extend = (all: Levels[], { name, levels }: { name: FactorName; levels: readonly Level[] }) =>
    all.flatMap((one) => levels.map((level) => ({ ...one, [name]: level })));
  return factors.reduce<Levels[]>(extend, [{}]);
}

/** All machines have the CPUs of the combination that needs most, so that setups differ in their queues alone. */
function cpusOfAll(combinations: readonly Combination[]): number {
  return Math.max(...combinations.map(({ conditions }) => cpusOf(conditions)));
}

function trialsOf(experiment: Experiment, { levels, conditions }: Combination, cpus: number): Trial[] {
  const cellOf = (of: Conditions, telemetry: boolean) =>
    digest(experiment.name, experiment.machines, textOf(of), telemetry);
  const { queues } = conditions;
  const spread = queues > 1 ? conditions.spread : "lanes";
  const setup: Setup = { machines: experiment.machines, cpus, queues, spread };
  const trial = (repetition: number, telemetry: boolean): Trial => {
    const cell = cellOf(conditions, telemetry);
    const peak = conditions.load > 0 ? { peak: cellOf({ ...conditions, load: 0 }, false) } : {};
    return { id: digest(cell, repetition), cell, levels, conditions, repetition, telemetry, setup, ...peak };
  };
  // The kernel has none of the counters.
  const kinds = experiment.telemetry && conditions.stack === "libmtcp" ? [false, true] : [false];
  return kinds.flatMap((telemetry) =>
    Array.from({ length: experiment.repetitions }, (_, index) => trial(index + 1, telemetry)),
  );
}

function textOf(conditions: Conditions): string {
  return JSON.stringify(FACTOR_NAMES.map((name) => [name, conditions[name]]));
}

/** 16 hex digits. */
function digest(...parts: readonly (string | number | boolean)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
