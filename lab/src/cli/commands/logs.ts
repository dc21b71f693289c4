import { followLogs, readLogs } from "../../engine/logs.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { wholeNumber } from "../names.js";

interface Options extends CommonOptions {
  readonly lines: number;
  readonly follow?: boolean;
}

export const registerLogs: RegisterCommand = (program, io) => {
  const command = program
    .command("logs")
    .description("last lines of the console of a machine, of the switch, or of all")
    .argument("<lab>", "name of the lab")
    .argument("[source]", "a machine's name, or switch")
    .option("-n, --lines <number>", "how many lines of each", wholeNumber, 100)
    .option("-f, --follow", "go on with what comes, until Ctrl-C or until the lab is gone; with --json a line each")
    .option(...JSON_OPTION)
    .action(async (lab: string, source: string | undefined, options: Options) => {
      await withEngine(io, options, async (engine) => {
        const logs = await readLogs(engine, lab, source, options.lines);
        if (!options.follow || !options.json) {
          const text = logs.map(({ source: from, lines }) => lines.map((line) => `${from}: ${line}\n`).join(""));
          show(io, options, { schemaVersion: 1, lab, logs }, text.join(""));
        }
        if (!options.follow) return;
        const onLine = (from: string, line: string) =>
          io.out(options.json ? `${JSON.stringify({ source: from, line })}\n` : `${from}: ${line}\n`);
        await followLogs(engine, lab, source, { signal: io.interrupted, onLine });
      });
    });
  examples(command, ["vnflab logs two-vms", "vnflab logs two-vms vm1 -n 20", "vnflab logs -f two-vms switch"]);
};
