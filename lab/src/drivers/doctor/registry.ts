/** All checks of the host, in the order in which they are told. */
import { vmChecks } from "../libvirt/vm-checks.js";
import type { DoctorCheck } from "./doctor-check.js";
import { folderChecks } from "./folder-checks.js";
import { hugepages } from "./hugepage-check.js";
import { processorChecks } from "./processor-checks.js";
import { programChecks } from "./program-checks.js";
import { rightsChecks } from "./rights-checks.js";

export const HOST_CHECKS: readonly DoctorCheck[] = [
  ...processorChecks,
  hugepages,
  ...programChecks,
  ...rightsChecks,
  ...folderChecks,
  ...vmChecks,
];
