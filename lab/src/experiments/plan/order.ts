/**
 * In which order trials are run: by chance, from a seed. Setups one after the other, because a restart is dear
 * (a split-plot design); within a setup any order in which a peak comes before what is a part of it.
 */
import type { Setup, Trial } from "../../model/experiment/trial.js";
import { type Random, randomOf } from "../../model/random.js";
import { groupBy } from "../statistics/group-by.js";

export function orderTrials(trials: readonly Trial[], seed: number): Trial[] {
  const bySetup = groupBy(trials, ({ setup }) => setupKey(setup));
  const random = randomOf(seed, "setups");
  return shuffled([...bySetup.keys()].sort(), random).flatMap((key) =>
    byChance(bySetup.get(key) ?? [], randomOf(seed, "trials", key)),
  );
}

export function setupKey({ machines, cpus, queues, spread }: Setup): string {
  return `${machines} ${cpus} ${queues} ${spread}`;
}

/** Each time one of those that may come next. */
function byChance(trials: readonly Trial[], random: Random): Trial[] {
  const order: Trial[] = [];
  const waiting = groupBy(trials, ({ peak }) => peak ?? "");
  const missing = new Map<string, number>();
  for (const { cell } of trials) missing.set(cell, (missing.get(cell) ?? 0) + 1);
  const ready = trials.filter(({ peak }) => peak === undefined);
  while (ready.length > 0) {
    const trial = takeOne(ready, random);
    order.push(trial);
    const left = (missing.get(trial.cell) ?? 0) - 1;
    missing.set(trial.cell, left);
    if (left === 0) ready.push(...(waiting.get(trial.cell) ?? []));
  }
  return order;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items];
  return items.map(() => takeOne(rest, random));
}

function takeOne<T>(items: T[], random: Random): T {
  const index = random.whole(0, items.length - 1);
  const taken = items[index] as T;
  items[index] = items[items.length - 1] as T;
  items.pop();
  return taken;
}
