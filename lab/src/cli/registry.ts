/** All commands, one line each, in the order of the help. */
import type { RegisterCommand } from "./command.js";
import { registerBench } from "./commands/bench.js";
import { registerCapture } from "./commands/capture.js";
import { registerCompletion } from "./commands/completion.js";
import { registerConfig } from "./commands/config.js";
import { registerConsole } from "./commands/console.js";
import { registerCp } from "./commands/cp.js";
import { registerDemo } from "./commands/demo.js";
import { registerDoctor } from "./commands/doctor.js";
import { registerDown } from "./commands/down.js";
import { registerEvents } from "./commands/events.js";
import { registerExec } from "./commands/exec.js";
import { registerExperiment } from "./commands/experiment.js";
import { registerGc } from "./commands/gc.js";
import { registerGraph } from "./commands/graph.js";
import { registerImage } from "./commands/image.js";
import { registerImpair } from "./commands/impair.js";
import { registerInit } from "./commands/init.js";
import { registerInspect } from "./commands/inspect.js";
import { registerLogs } from "./commands/logs.js";
import { registerLs } from "./commands/ls.js";
import { registerPause } from "./commands/pause.js";
import { registerRepro } from "./commands/repro.js";
import { registerReset } from "./commands/reset.js";
import { registerRestart } from "./commands/restart.js";
import { registerResults } from "./commands/results.js";
import { registerResume } from "./commands/resume.js";
import { registerShell } from "./commands/shell.js";
import { registerSnapshot } from "./commands/snapshot.js";
import { registerStatus } from "./commands/status.js";
import { registerTemplate } from "./commands/template.js";
import { registerTest } from "./commands/test.js";
import { registerTop } from "./commands/top.js";
import { registerUp } from "./commands/up.js";
import { registerVersion } from "./commands/version.js";

export const commands: readonly RegisterCommand[] = [
  registerDoctor,
  registerUp,
  registerLs,
  registerStatus,
  registerInspect,
  registerExec,
  registerShell,
  registerCp,
  registerConsole,
  registerLogs,
  registerEvents,
  registerTop,
  registerCapture,
  registerPause,
  registerResume,
  registerReset,
  registerSnapshot,
  registerImpair,
  registerTest,
  registerBench,
  registerExperiment,
  registerResults,
  registerRepro,
  registerRestart,
  registerDown,
  registerGc,
  registerDemo,
  registerInit,
  registerGraph,
  registerConfig,
  registerVersion,
  registerCompletion,
  registerTemplate,
  registerImage,
];
