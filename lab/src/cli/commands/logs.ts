import { InvalidArgumentError } from "commander";
import { readLogs } from "../../engine/logs.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";

interface Options extends CommonOptions {
  readonly lines: number;
}

export const registerLogs: RegisterCommand = (program, io) => {
  program
    .command("logs")
    .description("last lines of the console of a machine, of the switch, or of all")
    .argument("<lab>", "name of the lab")
    .argument("[source]", "a machine's name, or switch")
    .option("-n, --lines <number>", "how many lines of each", wholeNumber, 100)
    .option(...JSON_OPTION)
    .action(async (lab: string, source: string | undefined, options: Options) => {
      await withEngine(io, options, async (engine) => {
        const logs = await readLogs(engine, lab, source, options.lines);
        const text = logs.map(({ source: from, lines }) => lines.map((line) => `${from}: ${line}\n`).join(""));
        show(io, options, { schemaVersion: 1, lab, logs }, text.join(""));
      });
    });
};

export function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  return Number(text);
}
