/** What each design of distribution makes of a machine's CPUs and queues. */

import type { AllocatedMachine } from "../../model/deployment.js";
import { DISTRIBUTIONS, type Distribution, dedicatedCores } from "../../model/distribution.js";
import { VnflabError } from "../../model/error.js";
import { didYouMean } from "../../model/suggest.js";
import { firstNic, type StackModel } from "../../model/topology.js";

/** Those that are measured when nobody asks for others; `auto` is one of them by another name. */
export const DESIGNS: readonly Distribution[] = ["direct", "shared", "1kb", "2kb"];

/** Throws VNF_USAGE for a name that is none. */
export function chooseDesigns(names: readonly string[] | undefined): readonly Distribution[] {
  return (names ?? DESIGNS).map((name) => {
    const known = DISTRIBUTIONS.find((design) => design === name);
    if (known) return known;
    const hint = `There are ${DISTRIBUTIONS.join(", ")}.`;
    throw new VnflabError("VNF_USAGE", `no design "${name}"${didYouMean(name, DISTRIBUTIONS)}`, { hint });
  });
}

/**
 * A stack on all CPUs of the machine. A machine with fewer than a design needs gets one worker, and its threads share
 * the CPUs.
 */
export function stackOf(machine: AllocatedMachine, distribution: Distribution): StackModel {
  const cpus = machine.kind === "vm" ? machine.cpus : machine.stack.cores;
  const dedicated = dedicatedCores(distribution);
  const most = distribution === "direct" ? Math.min(cpus, firstNic(machine).queues) : cpus;
  const workers = Math.max(1, most - dedicated);
  return { ...machine.stack, distribution, workers, cores: workers + dedicated };
}

/** The stack has more threads than the machine has CPUs. */
export function sharesCpus(machine: AllocatedMachine, { cores }: StackModel): boolean {
  return machine.kind === "vm" && cores > machine.cpus;
}
