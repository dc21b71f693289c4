/** What holds of the plan of any experiment whatever. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { VnflabError } from "../../model/error.js";
import type { Experiment, FactorName, Level } from "../../model/experiment/experiment.js";
import { FACTOR_NAMES, FACTORS, formatLevel } from "../../model/experiment/factors.js";
import { parseExperiment } from "../../model/experiment/parse-experiment.js";
import type { PlanOptions } from "../../model/experiment/trial.js";
import { type Plan, planTrials, setupsOfTrials } from "./plan-trials.js";
import { shardOf } from "./shard.js";

const ALL: PlanOptions = { quick: false, only: [] };

/** As people write them. */
function levelOf(name: FactorName): fc.Arbitrary<string | number> {
  const { levels } = FACTORS[name];
  switch (levels.kind) {
    case "choice":
      return fc.constantFrom(...levels.of);
    case "whole":
      // Small numbers meet each other: queues and workers, connections and workers.
      return fc.oneof(
        fc.integer({ min: levels.least, max: Math.min(levels.most, levels.least + 4) }),
        fc.integer({ min: levels.least, max: levels.most }),
      );
    case "share":
      return fc.integer({ min: 0, max: levels.most * 10_000 }).map((part) => formatLevel(name, part / 10_000));
    case "time":
      return fc.integer({ min: 0, max: levels.mostUs }).map((us) => formatLevel(name, us));
  }
}

const factorList = fc
  .uniqueArray(fc.constantFrom(...FACTOR_NAMES), { minLength: 1, maxLength: 4 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.uniqueArray(levelOf(name), { minLength: 1, maxLength: 4 }).map((levels) => [name, levels] as const),
      ),
    ),
  );

type Lists = readonly (readonly [FactorName, readonly (string | number)[]])[];

/** Some levels of some of the factors. */
const someOf = (lists: Lists) =>
  fc
    .tuple(...lists.map(([name, levels]) => fc.subarray([...levels], { minLength: 1 }).map((some) => [name, some])))
    .chain((all) => fc.subarray(all))
    .map((some) => Object.fromEntries(some) as Record<string, (string | number)[]>);

const constraintOf = (lists: Lists) =>
  fc.record({
    when: someOf(lists),
    only: fc.oneof(someOf(lists), fc.constant({ queues: "=workers" })).filter((only) => Object.keys(only).length > 0),
    because: fc.constantFrom("one reason", "another reason"),
  });

/** Valid ones, as their file; those with a load have a workload that can have one. */
const anyExperiment: fc.Arbitrary<Experiment> = factorList
  .chain((lists) =>
    fc.record({
      lists: fc.constant(lists),
      constraints: fc.array(constraintOf(lists), { maxLength: 2 }),
      quick: someOf(lists),
      repetitions: fc.integer({ min: 1, max: 3 }),
      telemetry: fc.boolean(),
      machines: fc.constantFrom("vm", "process"),
      seed: fc.integer({ min: 0, max: 0xffffffff }),
    }),
  )
  .map(({ lists, quick, ...rest }) => {
    const names = lists.map(([name]) => name);
    const file = {
      ...{ name: "any", title: "Any", question: "Any?", factors: Object.fromEntries(lists), ...rest },
      ...{ quantities: ["requests_per_second"], quick: { factors: quick } },
    };
    const valid = names.includes("workload") ? { ...file, quantities: quantitiesOf(lists) } : file;
    return parseExperiment(stringify(valid), "any.yaml");
  });

function quantitiesOf(lists: Lists): string[] {
  const primary: Record<string, string> = {
    ...{ rpc: "requests_per_second", short: "connections_per_second", udp: "datagrams_per_second" },
    ...{ bulk: "goodput", file: "goodput_gibit" },
  };
  const workloads = lists.find(([name]) => name === "workload")?.[1] ?? [];
  return workloads.map((workload) => primary[workload] as string);
}

/** Experiments of which rules leave nothing have no plan. */
function planOf(experiment: Experiment, options: Partial<PlanOptions> = {}): Plan {
  try {
    return planTrials(experiment, { ...ALL, ...options });
  } catch (error) {
    fc.pre(!(error instanceof VnflabError && error.message.startsWith("nothing of")));
    throw error;
  }
}

const idsOf = ({ trials }: Pick<Plan, "trials">) => trials.map(({ id }) => id);
const sorted = (ids: readonly string[]) => [...ids].sort();

/** Each run other experiments; a failure prints the seed that has it again. */
const holds = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void) =>
  fc.assert(fc.property(arbitrary, check), { numRuns: 150 });

describe("the plan of any experiment", () => {
  it("has trials with ids of their own, and cells that differ in nothing but the repetition", () => {
    holds(anyExperiment, (experiment) => {
      const plan = planOf(experiment);
      expect(new Set(idsOf(plan)).size).toBe(plan.trials.length);
      const cells = new Map<string, Set<string>>();
      for (const { cell, conditions, telemetry, setup, peak, levels } of plan.trials) {
        const same = JSON.stringify({ conditions, telemetry, setup, peak, levels });
        cells.set(cell, (cells.get(cell) ?? new Set()).add(same));
      }
      for (const same of cells.values()) expect(same.size).toBe(1);
      const distinct = new Set(plan.trials.map(({ conditions, telemetry }) => JSON.stringify([conditions, telemetry])));
      expect(distinct.size).toBe(cells.size);
    });
  });

  it("is the same for the same seed, and for another seed the same trials in another order", () => {
    holds(fc.tuple(anyExperiment, fc.integer({ min: 0, max: 0xffffffff })), ([experiment, seed]) => {
      const plan = planOf(experiment);
      expect(planOf(experiment)).toEqual(plan);
      const other = planOf(experiment, { seed });
      expect(sorted(idsOf(other))).toEqual(sorted(idsOf(plan)));
      const byId = new Map(plan.trials.map((trial) => [trial.id, trial]));
      for (const trial of other.trials) expect(trial).toEqual(byId.get(trial.id));
    });
  });

  it("brings each setup up once, large enough for all its trials", () => {
    holds(anyExperiment, (experiment) => {
      const { trials } = planOf(experiment);
      const changes = trials.filter(({ setup }, i) => JSON.stringify(setup) !== JSON.stringify(trials[i - 1]?.setup));
      expect(changes.length).toBe(setupsOfTrials(trials).length);
      for (const { setup, conditions } of trials) {
        expect(setup.queues).toBe(conditions.queues);
        expect(setup.cpus).toBeGreaterThanOrEqual(conditions.workers);
      }
    });
  });

  it("measures all of a peak before any part of it", () => {
    holds(anyExperiment, (experiment) => {
      const { trials } = planOf(experiment);
      const last = new Map(trials.map(({ cell }, index) => [cell, index]));
      for (const [index, { peak, conditions }] of trials.entries()) {
        expect(peak === undefined).toBe(conditions.load === 0);
        if (peak === undefined) continue;
        expect(last.get(peak)).toBeLessThan(index);
        const of = trials[last.get(peak) as number];
        expect(of).toMatchObject({ telemetry: false, conditions: { ...conditions, load: 0 } });
      }
    });
  });

  it("falls into shards that have nothing in common and are together the whole, peaks with their parts", () => {
    holds(fc.tuple(anyExperiment, fc.integer({ min: 1, max: 5 })), ([experiment, count]) => {
      const whole = planOf(experiment);
      const shards = Array.from({ length: count }, (_, i) => shardOf(whole.trials, { index: i + 1, count }));
      expect(sorted(shards.flatMap((trials) => idsOf({ trials })))).toEqual(sorted(idsOf(whole)));
      for (const [i, trials] of shards.entries()) {
        const cells = new Set(trials.map(({ cell }) => cell));
        for (const { peak } of trials) if (peak !== undefined) expect(cells.has(peak)).toBe(true);
        const elsewhere = shards.filter((_, j) => j !== i).flat();
        for (const { cell } of elsewhere) expect(cells.has(cell)).toBe(false);
      }
      // Another host may have another seed.
      const planned = planOf(experiment, { seed: 1, shard: { index: 1, count } });
      expect(sorted(idsOf(planned))).toEqual(sorted(idsOf({ trials: shards[0] ?? [] })));
    });
  });

  it("of some levels is a part of the plan of all, with or without haste", () => {
    const some = anyExperiment.chain((experiment) =>
      fc.tuple(
        fc.constant(experiment),
        fc.boolean(),
        someOf(experiment.factors.map(({ name, levels }) => [name, levels.map((it) => formatLevel(name, it))])),
      ),
    );
    holds(some, ([experiment, quick, chosen]) => {
      const whole = new Set(idsOf(planOf(experiment, { quick })));
      const had = (name: string) => (quick && experiment.quick.factors[name as FactorName]) || undefined;
      const only = Object.entries(chosen)
        .map(([factor, levels]) => {
          const left = had(factor)?.map((level: Level) => formatLevel(factor as FactorName, level));
          return { factor, levels: levels.map(String).filter((level) => left === undefined || left.includes(level)) };
        })
        .filter(({ levels }) => levels.length > 0);
      const part = planOf(experiment, { quick, only });
      for (const id of idsOf(part)) expect(whole.has(id)).toBe(true);
      for (const { factor, levels } of only) {
        for (const { conditions, levels: of } of part.trials) {
          const level = formatLevel(factor as FactorName, of[factor as FactorName] as Level);
          if (factor !== "load" || conditions.load > 0) expect(levels).toContain(level);
        }
      }
    });
  });
});
