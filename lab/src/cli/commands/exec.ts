import { Lab } from "../../engine/lab.js";
import type { VnflabError } from "../../model/error.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";

export const registerExec: RegisterCommand = (program, io, finish) => {
  program
    .command("exec")
    .description("run a command inside a machine; its output, its exit code")
    .argument("<lab>", "name of the lab")
    .argument("<machine>", "name of the machine")
    .argument("<command...>", "the command and its arguments, after --")
    .option("-i, --stdin", "give it this command's standard input")
    .option(...JSON_OPTION)
    .passThroughOptions()
    .action(
      async (lab: string, machine: string, words: string[], options: CommonOptions & { readonly stdin?: boolean }) => {
        // Options of the command are its own, with or without the -- before it.
        const argv = words[0] === "--" ? words.slice(1) : words;
        await withEngine(io, options, async (engine) => {
          const opened = await Lab.open(engine, lab);
          const input = options.stdin ? await io.readInput() : undefined;
          const process = await opened.machine(machine).exec({
            argv,
            ...(input ? { input } : {}),
            ...(options.json ? {} : { onOutput: (stream, chunk) => (stream === "stdout" ? io.out : io.err)(chunk) }),
          });
          const interrupt = () => void process.signal("SIGTERM");
          io.interrupted.addEventListener("abort", interrupt, { once: true });
          const result = await process.wait();
          io.interrupted.removeEventListener("abort", interrupt);
          if (io.interrupted.aborted) throw io.interrupted.reason as VnflabError;
          if (options.json) show(io, options, { schemaVersion: 1, machine, argv, ...result }, "");
          finish(result.exitCode);
        });
      },
    );
};
