import { initLab, listExamples } from "../../engine/examples.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

interface Options extends CommonOptions {
  readonly example: string;
  readonly list?: boolean;
}

export const registerInit: RegisterCommand = (program, io) => {
  const command = program
    .command("init")
    .description("write a lab file to begin with, a copy of an example, into this folder")
    .argument("[name]", "of the lab and the file; the example's when absent")
    .option("--example <name>", "what to begin with", "two-vms")
    .option("--list", "only tell which examples there are")
    .option(...JSON_OPTION)
    .action(async (name: string | undefined, options: Options) => {
      await withEngine(io, options, async (engine) => {
        if (options.list) {
          const all = await listExamples(engine);
          const table = formatTable(all.map(({ name: example, about }) => [example, about]));
          return show(io, options, { schemaVersion: 1, examples: all }, `${table.join("\n")}\n`);
        }
        const wish = { example: options.example, ...(name === undefined ? {} : { name }) };
        const made = await initLab(engine, process.cwd(), wish);
        show(io, options, { schemaVersion: 1, ...made }, `${made.file}\nnext: vnflab up ${made.file}\n`);
      });
    });
  examples(command, ["vnflab init --list", "vnflab init mine", "vnflab init mine --example chain"]);
};
