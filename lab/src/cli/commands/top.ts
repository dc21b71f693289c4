import { type Sample, watchTop } from "../../engine/top.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, withEngine } from "../command.js";
import { examples } from "../help.js";
import { seconds, wholeNumber } from "../names.js";

interface Options extends CommonOptions {
  readonly count?: number;
  readonly interval: number;
}

const HOME_AND_CLEAR = "\x1b[H\x1b[J";

export const registerTop: RegisterCommand = (program, io) => {
  const command = program
    .command("top")
    .description(
      "processor time of each virtual CPU and switch core, and rates of the ports; drawn anew on a terminal, otherwise one report after the other; with --json a line each",
    )
    .argument("<lab>", "name of the lab")
    .option("--count <number>", "so many reports; otherwise until Ctrl-C", wholeNumber)
    .option("--interval <seconds>", "between two of them", seconds, 1)
    .option(...JSON_OPTION)
    .action(async (lab: string, options: Options) => {
      await withEngine(io, options, async (engine) => {
        const intervalMs = options.interval * 1000;
        const count = options.count ?? Number.POSITIVE_INFINITY;
        for await (const sample of watchTop(engine, lab, { intervalMs, count, signal: io.interrupted })) {
          if (options.json) io.out(`${JSON.stringify(sample)}\n`);
          else io.out(`${io.outIsTerminal ? HOME_AND_CLEAR : ""}${formatSample(sample)}\n`);
        }
      });
    });
  examples(command, ["vnflab top two-vms", "vnflab top two-vms --count 3 --interval 0.5 --json"]);
};

function formatSample({ lab, time, cpu, ports }: Sample): string {
  const threads = cpu
    .toSorted((a, b) => a.owner.localeCompare(b.owner) || a.what.localeCompare(b.what))
    .map(({ owner, what, percent }) => [owner, what, `${percent.toFixed(1)} %`]);
  const rates = ports.map(({ name, received, sent, dropped }) => [name, ...[received, sent, dropped].map(String)]);
  return [
    `${lab} ${time}`,
    ...formatTable([["", "", "of a core"], ...threads]),
    ...formatTable([["port", "frames/s from", "to", "not taken"], ...rates]),
    "",
  ].join("\n");
}
