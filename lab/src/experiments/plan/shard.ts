/**
 * A part of the trials, for one of several hosts. The parts have nothing in common and are together the whole. A cell
 * stays together with its peak and with the trial that reads its counters: they are of one host.
 */
import type { PlanOptions, Trial } from "../../model/experiment/trial.js";
import { groupBy } from "../statistics/group-by.js";

type Shard = NonNullable<PlanOptions["shard"]>;

/** Of the trials before they are shuffled, so that hosts with different seeds agree on what is whose. */
export function shardOf(trials: readonly Trial[], { index, count }: Shard): Trial[] {
  const groups = groupBy(trials, ({ conditions }) => JSON.stringify({ ...conditions, load: 0 }));
  const sizes = Array.from({ length: count }, () => 0);
  const mine: Trial[] = [];
  for (const key of [...groups.keys()].sort()) {
    const group = groups.get(key) ?? [];
    const least = sizes.indexOf(Math.min(...sizes));
    sizes[least] = (sizes[least] ?? 0) + group.length;
    if (least === index - 1) mine.push(...group);
  }
  return mine;
}
