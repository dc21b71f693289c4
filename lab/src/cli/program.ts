/** The command line: parse, run, exit code. */
import { Command, CommanderError } from "commander";
import { asVnflabError, ERROR_CODES, VnflabError } from "../model/error.js";
import { addVolume, showError } from "./command.js";
import { examples, formatHelp } from "./help.js";
import type { Io } from "./io.js";
import { commands } from "./registry.js";
import { VERSION } from "./version.js";

export function buildProgram(io: Io, finish: (exitCode: number) => void): Command {
  const program = new Command("vnflab")
    .description("a laboratory of machines that talk libmtcp over a vhost-user switch")
    .version(VERSION)
    .configureHelp({ formatHelp })
    .enablePositionalOptions()
    .showSuggestionAfterError();
  examples(program, [
    "vnflab doctor",
    "vnflab demo",
    "vnflab up lab/examples/two-vms/lab.yaml",
    "vnflab test two-vms --suite tcp",
    "vnflab exec two-vms vm1 -- uname -a",
    "vnflab down two-vms",
  ]);
  for (const register of commands) register(program, io, finish);
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err });
    if (command.options.some(({ long }) => long === "--json")) addVolume(command);
  }
  return program;
}

/** The program, its commands and theirs. */
function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** Returns the exit code. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : ERROR_CODES.VNF_USAGE.exitCode;
    const error = asVnflabError(unwrap(thrown));
    const own = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
    showError(io, own.includes("--json"), error);
    return error.exitCode;
  }
}

/** A failure while something else was being disposed: the first one is why. */
function unwrap(thrown: unknown): unknown {
  const suppressed = thrown instanceof Error && "suppressed" in thrown ? thrown.suppressed : undefined;
  return suppressed instanceof VnflabError ? suppressed : thrown;
}
