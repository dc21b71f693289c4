import { up } from "../../engine/up.js";
import type { Setting } from "../../model/setting.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { addSetOption, type SetOptions } from "../set-option.js";

interface Options extends CommonOptions, SetOptions {
  readonly dryRun?: boolean;
  readonly name?: string;
}

export const registerUp: RegisterCommand = (program, io) => {
  const command = program
    .command("up")
    .description("bring a lab to what its file says; on failure or Ctrl-C take it down again")
    .argument("<file>", "lab file, such as lab/examples/two-vms/lab.yaml")
    .option("--name <name>", "call the lab so, whatever its file says: the same lab a second time")
    .option("--dry-run", "only print what would be done")
    .option(...JSON_OPTION);
  addSetOption(command).action(async (file: string, options: Options) => {
    await withEngine(io, options, async (engine) => {
      const { lab, actions, steps, record } = await up(engine, file, {
        signal: io.interrupted,
        dryRun: options.dryRun ?? false,
        settings: [...(options.set ?? []), ...nameSetting(options.name)],
      });
      const lines = steps.map((step) => `${step}\n`).join("");
      const machines = record.machines.map(({ machine }) => machine).join(", ");
      const text = options.dryRun ? lines || "nothing to do\n" : `${lab} is up: ${machines}\n`;
      const { switch: sw, machines: allocated } = record.deployment;
      show(io, options, { schemaVersion: 1, lab, actions, switch: sw, machines: allocated }, text);
    });
  });
  examples(command, [
    "vnflab up lab/examples/two-vms/lab.yaml",
    "vnflab up lab/examples/two-processes/lab.yaml --dry-run",
  ]);
};

function nameSetting(name: string | undefined): Setting[] {
  return name === undefined ? [] : [{ path: ["name"], text: name, origin: `--name ${name}` }];
}
