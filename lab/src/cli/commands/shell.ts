import { Lab } from "../../engine/lab.js";
import { runShell } from "../../engine/shell.js";
import { VnflabError } from "../../model/error.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerShell: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("shell")
    .description(
      "a shell inside a machine: on a terminal interactive (in a virtual machine its console; Ctrl-] leaves), otherwise standard input is the script",
    )
    .argument("<lab>", "name of the lab")
    .argument("<machine>", "name of the machine")
    .option(...JSON_OPTION)
    .action(async (name: string, machineName: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const machine = (await Lab.open(engine, name)).machine(machineName);
        const script = await io.readInput();
        if (script === undefined && !options.json) {
          finish(await runShell(engine, machine, io));
          return;
        }
        if (script === undefined) throw new VnflabError("VNF_USAGE", "--json is for a script on standard input");
        const onOutput = (stream: "stdout" | "stderr", chunk: string) => (stream === "stdout" ? io.out : io.err)(chunk);
        const process = await machine.exec({ argv: ["sh"], input: script, ...(options.json ? {} : { onOutput }) });
        const result = await process.wait();
        if (options.json) show(io, options, { schemaVersion: 1, machine: machineName, ...result }, "");
        finish(result.exitCode);
      });
    });
  examples(command, ["vnflab shell two-vms vm1", "echo 'ip addr; free -m' | vnflab shell two-vms vm1"]);
};
