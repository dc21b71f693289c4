import { script } from "@bomb.sh/tab";
import { Argument, type Command } from "commander";
import { Lab } from "../../engine/lab.js";
import { listLabs } from "../../engine/ls.js";
import type { RegisterCommand } from "../command.js";
import { candidates, type Names } from "../completion.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";

export const registerCompletion: RegisterCommand = (program, io) => {
  const command = program
    .command("completion")
    .description("a script that lets a shell complete commands, options, and names of labs and machines")
    .addArgument(new Argument("<shell>", "which one").choices(["bash", "zsh", "fish"]))
    .action((shell: "bash" | "zsh" | "fish") => {
      script(shell, program.name(), program.name());
    });
  examples(command, [
    "source <(vnflab completion bash)     # in ~/.bashrc",
    "source <(vnflab completion zsh)      # in ~/.zshrc, after compinit",
    "vnflab completion fish | source      # in ~/.config/fish/config.fish",
  ]);
  program
    .command("complete", { hidden: true })
    .description("what the scripts of `vnflab completion` ask, with the words so far after --")
    .argument("[words...]")
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const soFar = words[0] === "--" ? words.slice(1) : words;
      io.out(candidates(program as Command, soFar, await knownNames(io, soFar)));
    });
};

/** Whatever is not there offers nothing: a completion must not fail. */
async function knownNames(io: Io, words: readonly string[]): Promise<Names> {
  try {
    await using engine = await io.openEngine(() => {});
    const labs = await listLabs(engine);
    const named = words.find((word) => labs.includes(word));
    const machines = named === undefined ? [] : (await Lab.open(engine, named)).machines;
    return { labs, machines: machines.map(({ name }) => name) };
  } catch {
    return { labs: [], machines: [] };
  }
}
