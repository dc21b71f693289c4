/** Help with examples first, and the completion's knowledge of what an argument is. */
import { type Command, Help } from "commander";

const EXAMPLES = new WeakMap<Command, readonly string[]>();

/** Command lines as somebody would type them, the most usual first. */
export function examples(command: Command, lines: readonly string[]): Command {
  EXAMPLES.set(command, lines);
  return command;
}

function examplesOf(command: Command): readonly string[] {
  return EXAMPLES.get(command) ?? [];
}

/** What it is, examples, then the usual: usage, arguments, options. For commander's configureHelp(). */
export function formatHelp(command: Command, helper: Help): string {
  const bare = Object.assign(Object.create(helper) as Help, { commandDescription: () => "" });
  const rest = Help.prototype.formatHelp.call(bare, command, bare);
  const described = helper.boxWrap(command.description(), helper.helpWidth ?? 80);
  const lines = examplesOf(command).map((line) => `  $ ${line}`);
  const shown = lines.length > 0 ? ["Examples:", ...lines, ""] : [];
  return [described, "", ...shown, rest].join("\n");
}
