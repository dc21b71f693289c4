import { findRun } from "../../experiments/find-run.js";
import { verifyRun } from "../../experiments/results/verify.js";
import { formatTable } from "../../suites/report.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerResultsVerify: RegisterCommand = (group, io, finish) => {
  const command = group
    .command("verify")
    .description("whether a run is whole, as planned and unchanged; exit code 1 when it is not")
    .argument("<run>", "name or folder of a run")
    .option(...JSON_OPTION)
    .action(async (name: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const folder = await findRun(engine, name);
        const checks = await verifyRun(engine.host.files, folder);
        const ok = checks.every((check) => check.ok);
        const rows = checks.map((check) => [check.ok ? "ok" : "FAILED", check.name, check.detail]);
        show(io, options, { schemaVersion: 1, folder, ok, checks }, `${formatTable(rows).join("\n")}\n`);
        finish(ok ? 0 : ANSWER_IS_NO);
      });
    });
  examples(command, ["vnflab results verify ./run"]);
};
