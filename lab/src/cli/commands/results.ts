import type { RegisterCommand } from "../command.js";
import { examples } from "../help.js";
import { registerResultsBundle } from "./results-bundle.js";
import { registerResultsCompare } from "./results-compare.js";
import { registerResultsLs } from "./results-ls.js";
import { registerResultsMerge } from "./results-merge.js";
import { registerResultsReport } from "./results-report.js";
import { registerResultsShow } from "./results-show.js";
import { registerResultsVerify } from "./results-verify.js";

export const registerResults: RegisterCommand = (program, io, finish) => {
  const group = program
    .command("results")
    .description("what experiments have measured: list, show, report, compare, merge, verify, bundle");
  examples(group, ["vnflab results ls", "vnflab results show RUN", "vnflab results compare BEFORE AFTER"]);
  for (const register of commands) register(group, io, finish);
};

const commands: readonly RegisterCommand[] = [
  registerResultsLs,
  registerResultsShow,
  registerResultsReport,
  registerResultsCompare,
  registerResultsMerge,
  registerResultsVerify,
  registerResultsBundle,
];
