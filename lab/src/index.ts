/** What programs and tests may use of vnflab; docs/guides/from-typescript.md shows how. */
export { Lab, type TestOptions, type UpOptions, VnflabError } from "./api/lab.js";
export {
  type Application,
  type ApplicationResult,
  type ExecOptions,
  type ExecResult,
  Machine,
} from "./api/machine.js";
export type { Copied } from "./engine/copy.js";
export type { LabEvent } from "./engine/events.js";
export type { Inspection } from "./engine/inspect.js";
export type { ErrorCode } from "./model/error.js";
export type { ImpairModel } from "./model/topology.js";
export type { CaseReport, SuiteReport } from "./suites/report.js";
