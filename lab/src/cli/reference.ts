/** The reference pages that are made from the code: a test holds docs/reference and this together. */
import type { Command } from "commander";
import { ERROR_CODES } from "../model/error.js";

export function errorsReference(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { exitCode, summary, hint }]) => `| \`${code}\` | ${exitCode} | ${summary} | ${hint} |`,
  );
  return [
    "# Errors",
    "",
    "Made from `lab/src/model/error.ts`; `make golden` writes it anew. Every failure of `vnflab` has a code, a message",
    "(what and where), a hint (how to mend it), where there is one the last lines of the log that shows it, and the",
    "exit code of the command. `vnflab exec` ends with the exit code of the command in the machine; exit code 1 means",
    "that the work was done and the answer is no: a case failed, a check failed, a part of the lab does not run.",
    "",
    "| code | exit code | meaning | what to do |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

export function cliReference(program: Command): string {
  const sections = program.commands.flatMap((command) => sectionsOf(command, `vnflab ${command.name()}`, "##"));
  return [
    "# The vnflab command",
    "",
    "Made from the command itself; `make golden` writes it anew. Data goes to standard output, progress and errors to",
    "standard error. Exit codes are in [errors.md](errors.md). Ctrl-C takes down what the command has started.",
    "",
    "| environment | meaning |",
    "|---|---|",
    "| `VNFLAB_STATE` | folder for records, logs and results; otherwise `$XDG_STATE_HOME/vnflab` or `~/.local/state/vnflab` |",
    "| `VNFLAB_RUN` | short folder for sockets; otherwise `/run/user/UID/vnflab` or `/tmp/vnflab-UID` |",
    "| `VNFLAB_ROOT` | the repository with the built programs; otherwise the one that the command is part of |",
    "| `VNFLAB_LIBVIRT_URI` | libvirt of the virtual machines of a lab that is brought up; otherwise a private libvirtd |",
    "| `VNFLAB_DEBUG` | print stack traces |",
    "| `NO_COLOR`, `FORCE_COLOR` | no colours whatever the terminal; colours even without one |",
    "",
    ...sections,
  ].join("\n");
}

/** Hidden ones are for programs; those below a command follow it. */
function sectionsOf(command: Command, name: string, mark: string): string[] {
  if ((command as unknown as { readonly _hidden?: boolean })._hidden) return [];
  const below = command.commands.flatMap((one) => sectionsOf(one, `${name} ${one.name()}`, `${mark}#`));
  return [`${mark} ${name}`, "", ...helpOf(command), ...below];
}

function helpOf(command: Command): string[] {
  const help = command.createHelp();
  help.helpWidth = 110;
  return ["```", help.formatHelp(command, help).trimEnd(), "```", ""];
}
