/** What a shell may offer next, from commander's own program: commands, options, and names of labs and machines. */
import { RootCommand, ShellCompDirective } from "@bomb.sh/tab";
import type { Argument, Command, Option } from "commander";

export interface Names {
  readonly labs: readonly string[];
  /** Of the lab that the command line names; empty when it names none. */
  readonly machines: readonly string[];
}

/** Arguments by their name -> what they may be. Any other is a path or a word of its own. */
const KINDS: Readonly<Record<string, keyof Names>> = {
  lab: "labs",
  machine: "machines",
  machines: "machines",
  source: "machines",
  target: "machines",
};

type Add = (value: string, description: string) => void;

/** Lines as the shells' scripts want them: a candidate and its description each, then the directive. */
export function candidates(program: Command, words: readonly string[], names: Names): string {
  const completion = new RootCommand();
  const answer = answerInText(completion);
  for (const option of program.options) addOption(completion, option);
  for (const [name, command] of commandsOf(program, "")) {
    const known = completion.command(name, command.description());
    for (const argument of command.registeredArguments) {
      known.argument(argument.name(), offers(argument, names), argument.variadic);
    }
    for (const option of command.options) addOption(known, option);
  }
  completion.parse([...words]);
  return answer.text;
}

/** Names with their parents before them: `snapshot save`. */
function commandsOf(command: Command, prefix: string): [string, Command][] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== "help")
    .flatMap((one): [string, Command][] => {
      const name = `${prefix}${one.name()}`;
      return [[name, one], ...commandsOf(one, `${name} `)];
    });
}

function offers(argument: Argument, names: Names): (add: Add) => void {
  const kind = KINDS[argument.name()];
  const values = argument.argChoices ?? (kind === undefined ? [] : names[kind]);
  return (add) => {
    for (const value of values) add(value, "");
  };
}

interface Options {
  option(value: string, description: string, ...rest: (string | ((add: Add) => void) | undefined)[]): unknown;
}

function addOption(command: Options, option: Option): void {
  const name = option.long?.slice(2) ?? option.name();
  const short = option.short?.slice(1);
  const choices = (add: Add) => {
    for (const choice of option.argChoices ?? []) add(choice, "");
  };
  if (option.required || option.optional) command.option(name, option.description, choices, short);
  else command.option(name, option.description, short);
}

interface Offer {
  readonly value: string;
  readonly description?: string;
}

/** The library prints its answer by itself, and offers files nowhere; ours is a text, with files where nothing else fits. */
function answerInText(completion: RootCommand): { text: string } {
  const answer = { text: "" };
  const inner = completion as unknown as { completions: readonly Offer[]; complete(toComplete: string): void };
  inner.complete = (toComplete) => {
    const fitting = new Map(
      inner.completions.filter(({ value }) => value.startsWith(toComplete)).map((one) => [one.value, one]),
    );
    const { ShellCompDirectiveDefault, ShellCompDirectiveNoFileComp } = ShellCompDirective;
    const directive = fitting.size > 0 ? ShellCompDirectiveNoFileComp : ShellCompDirectiveDefault;
    const lines = [...fitting.values()].map(({ value, description }) => `${value}\t${description ?? ""}\n`);
    answer.text = `${lines.join("")}:${directive}\n`;
  };
  return answer;
}
