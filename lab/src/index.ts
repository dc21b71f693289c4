/** The lab as a library: what the vnflab command itself is made of. */
export { openEngine } from "./engine/compose.js";
export type { EngineContext } from "./engine/context.js";
export { down } from "./engine/down.js";
export { formatEvent, type LabEvent } from "./engine/events.js";
export { Lab, type LabMachine } from "./engine/lab.js";
export { labStatus, listLabs } from "./engine/status.js";
export { up } from "./engine/up.js";
export { ERROR_CODES, VnflabError } from "./model/error.js";
export { NORMAL, QUICK } from "./suites/case.js";
export { formatReport, isSuccess, type SuiteReport } from "./suites/report.js";
export { runSuites } from "./suites/run-suites.js";
