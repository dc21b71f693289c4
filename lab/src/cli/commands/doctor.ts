import { examine } from "../../engine/doctor.js";
import type { Finding } from "../../model/finding.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerDoctor: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("doctor")
    .description("check what this host offers; exit code 1 when something keeps labs from running")
    .option(...JSON_OPTION)
    .action(async (options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const findings: Finding[] = [];
        for await (const finding of examine(engine.host)) {
          findings.push(finding);
          if (!options.json) io.out(formatFinding(finding));
        }
        if (options.json) show(io, options, { schemaVersion: 1, findings }, "");
        if (findings.some(({ status }) => status === "failure")) finish(ANSWER_IS_NO);
      });
    });
  examples(command, ["vnflab doctor", "vnflab doctor --json"]);
};

function formatFinding({ check, status, message, hint }: Finding): string {
  const mark = { ok: "✔", warning: "!", failure: "✘" }[status];
  return `${mark} ${check}: ${message}\n${hint === undefined ? "" : `    ${hint}\n`}`;
}
