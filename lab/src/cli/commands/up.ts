import { Option } from "commander";
import { upInForeground, watchLab } from "../../engine/foreground.js";
import { type UpResult, up } from "../../engine/up.js";
import type { Setting } from "../../model/setting.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";
import { addSetOption, type SetOptions } from "../set-option.js";

interface Options extends CommonOptions, SetOptions {
  readonly dryRun?: boolean;
  readonly name?: string;
  readonly foreground?: boolean;
}

export const registerUp: RegisterCommand = (program, io) => {
  const command = program
    .command("up")
    .description("bring a lab to what its file says; on failure or Ctrl-C take it down again")
    .argument("<file>", "lab file, such as lab/examples/two-vms/lab.yaml")
    .option("--name <name>", "call the lab so, whatever its file says: the same lab a second time")
    .option("--foreground", "stay and tell what happens; Ctrl-C, or the end of this command in any way, takes it down")
    .addOption(new Option("--dry-run", "only print what would be done").conflicts("foreground"))
    .option(...JSON_OPTION);
  addSetOption(command).action(async (file: string, options: Options) => {
    await withEngine(io, options, async (engine) => {
      const settings = [...(options.set ?? []), ...nameSetting(options.name)];
      const wanted = { signal: io.interrupted, settings };
      if (options.foreground) {
        await using running = await upInForeground(engine, file, wanted);
        showUp(io, options, running);
        await watchLab(engine, running.lab, io.interrupted);
      } else {
        showUp(io, options, await up(engine, file, { ...wanted, dryRun: options.dryRun ?? false }));
      }
    });
  });
  examples(command, [
    "vnflab up lab/examples/two-vms/lab.yaml",
    "vnflab up lab/examples/two-processes/lab.yaml --dry-run",
  ]);
};

function showUp(io: Io, options: Options, { lab, actions, steps, record }: UpResult): void {
  const lines = steps.map((step) => `${step}\n`).join("");
  const machines = record.machines.map(({ machine }) => machine).join(", ");
  const text = options.dryRun ? lines || "nothing to do\n" : `${lab} is up: ${machines}\n`;
  const { switch: sw, machines: allocated } = record.deployment;
  show(io, options, { schemaVersion: 1, lab, actions, switch: sw, machines: allocated }, text);
}

function nameSetting(name: string | undefined): Setting[] {
  return name === undefined ? [] : [{ path: ["name"], text: name, origin: `--name ${name}` }];
}
