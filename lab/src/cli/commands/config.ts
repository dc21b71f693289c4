import { describeConfig } from "../../engine/config.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerConfig: RegisterCommand = (program, io) => {
  const config = program.command("config").description("what applies to all labs of this user");
  const command = config
    .command("show")
    .description("folders and settings, and where each comes from")
    .option(...JSON_OPTION)
    .action(async (options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const entries = await describeConfig(engine);
        const rows = entries.map(({ name, value, from, meaning }) => [name, value, `(${from})`, meaning]);
        show(io, options, { schemaVersion: 1, entries }, `${formatTable(rows).join("\n")}\n`);
      });
    });
  examples(command, ["vnflab config show"]);
};
