/** How fast a load is: a part of what was measured when as much was asked as is answered. */
import { median } from "simple-statistics";
import { VnflabError } from "../../model/error.js";
import type { TrialResult } from "../../model/experiment/run-folder.js";
import type { Trial } from "../../model/experiment/trial.js";
import { programsOf } from "../workloads.js";

/** Undefined for a closed loop. Throws VNF_NOT_AS_ASKED when its peak was not measured, or the workload has no rate. */
export function rateOf({ conditions, peak }: Trial, results: readonly TrialResult[]): number | undefined {
  if (conditions.load === 0) return undefined;
  const { primary, openLoop } = programsOf(conditions.workload);
  if (!openLoop) throw new VnflabError("VNF_NOT_AS_ASKED", `${conditions.workload} cannot be asked for a load`);
  const values = results
    .filter(({ cell, status }) => cell === peak && status === "measured")
    .flatMap(({ values: { [primary]: value } }) => value ?? []);
  if (values.length === 0) {
    throw new VnflabError(
      "VNF_NOT_AS_ASKED",
      `no peak to take ${conditions.load} % of: none of its trials was measured`,
    );
  }
  return (median(values) * conditions.load) / 100;
}
