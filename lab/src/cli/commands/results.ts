import type { RegisterCommand } from "../command.js";
import { examples } from "../help.js";
import { registerResultsReport } from "./results-report.js";

export const registerResults: RegisterCommand = (program, io) => {
  const group = program.command("results").description("the runs of experiments: what they say");
  examples(group, ["vnflab results report ./my-run"]);
  registerResultsReport(group, io);
};
