/** The shape of `pause`, `resume` and `reset`: something is done to machines of a lab, to all when none is named. */
import type { Command } from "commander";
import type { EngineContext } from "../engine/context.js";
import { type CommonOptions, JSON_OPTION, show, withEngine } from "./command.js";
import { examples } from "./help.js";
import type { Io } from "./io.js";
import { machinesOrAll } from "./names.js";

interface MachinesCommand {
  readonly name: string;
  readonly description: string;
  /** What has been done to them: the word of the text, and the key of --json. */
  readonly done: string;
  readonly examples: readonly string[];
  /** Gives the machines to which it was done. */
  work(engine: EngineContext, lab: string, machines: readonly string[] | undefined): Promise<readonly string[]>;
}

export function addMachinesCommand(program: Command, io: Io, it: MachinesCommand): void {
  const command = program
    .command(it.name)
    .description(it.description)
    .argument("<lab>", "name of the lab")
    .argument("[machines...]", "names of machines; all when absent")
    .option(...JSON_OPTION)
    .action(async (lab: string, machines: string[], options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const done = await it.work(engine, lab, machinesOrAll(machines));
        show(io, options, { schemaVersion: 1, lab, [it.done]: done }, `${it.done}: ${done.join(", ")}\n`);
      });
    });
  examples(command, it.examples);
}
