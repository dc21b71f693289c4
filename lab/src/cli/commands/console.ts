import { attachConsole, findConsole } from "../../engine/logs.js";
import { VnflabError } from "../../model/error.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerConsole: RegisterCommand = (program, io) => {
  const command = program
    .command("console")
    .description("type on a machine's serial console; Ctrl-] leaves. With --json: where it is")
    .argument("<lab>", "name of the lab")
    .argument("<machine>", "name of the machine")
    .option(...JSON_OPTION)
    .action(async (lab: string, machine: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const place = await findConsole(engine, lab, machine);
        if (options.json) return show(io, options, { schemaVersion: 1, ...place }, "");
        const keyboard = io.keyboard();
        if (!keyboard) {
          throw new VnflabError("VNF_USAGE", "there is no terminal to type on", {
            hint: `Use \`vnflab logs ${lab} ${machine}\`, or --json to learn where the console is.`,
          });
        }
        io.err(`console of ${machine}; Ctrl-] leaves\n`);
        await attachConsole(engine, place, { ...keyboard, write: (data) => io.out(Buffer.from(data).toString()) });
      });
    });
  examples(command, ["vnflab console two-vms vm1", "vnflab console two-vms vm1 --json"]);
};
