/** What ran in fact, as the stack says when it begins; figures of another configuration are no figures. */
import type { Conditions } from "../../model/experiment/experiment.js";
import type { TrialResult } from "../../model/experiment/run-folder.js";

export type Effective = TrialResult["effective"];

const DESIGN = /\bdistribution (\S+): (\d+) worker\(s\), (\d+) thread\(s\) besides, (\d+) queue\(s\)/;
const OFFLOADS = /\boffloads: ([a-z ]+), link\b/;

/** Undefined where it says nothing of the kind. */
export function readEffective(lines: readonly string[]): Effective | undefined {
  const find = (pattern: RegExp) => lines.map((line) => pattern.exec(line)).find((match) => match !== null);
  const design = find(DESIGN);
  if (!design) return undefined;
  const [, distribution = "", workers, dedicated, queues] = design;
  const offload = find(OFFLOADS)?.[1];
  return {
    ...{ distribution, workers: Number(workers), dedicated: Number(dedicated), queues: Number(queues) },
    ...(offload === undefined ? {} : { offload }),
  };
}

/** What the device must not have done, whatever it can do. */
const NOT_WITH: Readonly<Record<Conditions["offload"], readonly string[]>> = {
  auto: [],
  csum: ["checksums and segmentation"],
  off: ["checksums", "checksums and segmentation"],
};

/** What differs from what was asked for, one line each. */
export function differsFrom(conditions: Conditions, effective: Effective | undefined): string[] {
  if (!effective) return ["the stack has not said how it runs"];
  const compare = (name: "distribution" | "workers" | "queues") =>
    effective[name] === conditions[name]
      ? []
      : [`${name}: ${String(effective[name])} ran, asked for ${conditions[name]}`];
  const offload = NOT_WITH[conditions.offload].includes(String(effective.offload))
    ? [`offload: the device did ${String(effective.offload)}, asked for ${conditions.offload}`]
    : [];
  return [...compare("distribution"), ...compare("workers"), ...compare("queues"), ...offload];
}
