/** `vnflab doctor`: every check of every driver, one finding each. */
import type { DoctorCheck } from "../drivers/doctor-check.js";
import { hostChecks } from "../drivers/host-checks.js";
import { vmChecks } from "../drivers/libvirt/vm-checks.js";
import type { Host } from "../host/host.js";
import { asVnflabError } from "../model/error.js";
import type { Finding } from "../model/finding.js";

export const DOCTOR_CHECKS: readonly DoctorCheck[] = [...hostChecks, ...vmChecks];

/** Findings in the order of the checks, as they come. */
export async function* examine(host: Host, checks: readonly DoctorCheck[] = DOCTOR_CHECKS): AsyncGenerator<Finding> {
  for (const check of checks) yield await lookWith(host, check);
}

async function lookWith(host: Host, check: DoctorCheck): Promise<Finding> {
  try {
    return { check: check.name, ...(await check.look(host)) };
  } catch (thrown) {
    const { message, hint } = asVnflabError(thrown);
    return { check: check.name, status: "failure", message, hint };
  }
}
