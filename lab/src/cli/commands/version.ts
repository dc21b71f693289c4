import { readVersions } from "../../engine/versions.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { VERSION } from "../version.js";

export const registerVersion: RegisterCommand = (program, io) => {
  const command = program
    .command("version")
    .description("versions of vnflab and of what it runs on")
    .option(...JSON_OPTION)
    .action(async (options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const versions = { vnflab: VERSION, ...(await readVersions(engine.host)) };
        const text = `${formatTable(Object.entries(versions)).join("\n")}\n`;
        show(io, options, { schemaVersion: 1, ...versions }, text);
      });
    });
  examples(command, ["vnflab version", "vnflab version --json"]);
};
