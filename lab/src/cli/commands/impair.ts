import { InvalidArgumentError } from "commander";
import { impairLink, type LinkState, linkState } from "../../engine/impair.js";
import { VnflabError } from "../../model/error.js";
import type { ImpairModel } from "../../model/topology.js";
import { parsePercent, parseRateBps, parseTimeUs } from "../../model/units.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { wholeNumber } from "../names.js";

interface ImpairOptions extends CommonOptions {
  readonly delay?: number;
  readonly jitter?: number;
  readonly loss?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly rate?: number;
  readonly seed?: number;
  readonly clear?: boolean;
  readonly show?: boolean;
}

export const registerImpair: RegisterCommand = (program, io) => {
  const command = program
    .command("impair")
    .description("delay, lose, duplicate or reorder the frames of a link while the lab runs; what is not given is off")
    .argument("<lab>", "name of the lab")
    .argument("<link>", 'name of the link; "lan" where the lab file names none')
    .option("--delay <time>", "of every frame, such as 10ms: a round trip sees it twice", unit(parseTimeUs, "10ms"))
    .option("--jitter <time>", "the delay varies by as much, up and down", unit(parseTimeUs, "500us"))
    .option("--loss <share>", "of all frames, such as 1%", unit(parsePercent, "1%"))
    .option("--duplicate <share>", "of all frames", unit(parsePercent, "1%"))
    .option("--reorder <share>", "of all frames: they overtake those before them", unit(parsePercent, "25%"))
    .option("--rate <rate>", "bits a second from each port, such as 100M", unit(parseRateBps, "100M"))
    .option("--seed <n>", "of all chance", wholeNumber)
    .option("--clear", "frames pass as they are")
    .option("--show", "change nothing; so without any of these options")
    .option(...JSON_OPTION)
    .action(async (lab: string, link: string, options: ImpairOptions) => {
      const change = changeOf(options);
      await withEngine(io, options, async (engine) => {
        const state =
          change === "none"
            ? await linkState(engine, lab, link)
            : await impairLink(engine, lab, link, change === "clear" ? undefined : change);
        show(io, options, { schemaVersion: 1, lab, ...state }, text(state));
      });
    });
  examples(command, [
    "vnflab impair two-vms lan --delay 10ms --jitter 1ms --loss 1%",
    "vnflab impair two-vms lan --rate 100M",
    "vnflab impair two-vms lan --show",
    "vnflab impair two-vms lan --clear",
  ]);
};

type Change = Omit<ImpairModel, "seed"> & { readonly seed?: number };

function changeOf(options: ImpairOptions): Change | "clear" | "none" {
  const { delay, jitter, loss, duplicate, reorder, rate, seed, clear = false, show: asks = false } = options;
  const given = [delay, jitter, loss, duplicate, reorder, rate, seed].some((value) => value !== undefined);
  if ([given, clear, asks].filter(Boolean).length > 1) {
    throw new VnflabError("VNF_USAGE", "--show, --clear and what the link is to do exclude each other");
  }
  if (clear) return "clear";
  if (!given) return "none";
  const change = { delayUs: delay ?? 0, jitterUs: jitter ?? 0, loss: loss ?? 0, duplicate: duplicate ?? 0 };
  if (change.jitterUs > change.delayUs) {
    throw new VnflabError("VNF_USAGE", "--jitter is more than --delay: frames would leave before they come");
  }
  return {
    ...{ ...change, reorder: reorder ?? 0 },
    ...(rate === undefined ? {} : { rateBps: rate }),
    ...(seed === undefined ? {} : { seed }),
  };
}

function text({ link, impair, ports }: LinkState): string {
  const head = ["PORT", "FRAMES", "LOST", "LIMITED", "DELAYED", "DUPLICATED", "REORDERED", "WAITING", "LATE"];
  const rows = ports.map((one) => [
    ...[one.port, one.received, one.lost, one.limited, one.delayed, one.duplicated, one.reordered, one.held].map(
      String,
    ),
    `${Math.round(one.lateUs)}us, at most ${Math.round(one.latestUs)}us`,
  ]);
  return `${link}: ${impair ? describe(impair) : "frames pass as they are"}\n${formatTable([head, ...rows]).join("\n")}\n`;
}

function describe({ delayUs, jitterUs, loss, duplicate, reorder, rateBps, seed }: ImpairModel): string {
  const share = (name: string, value: number) => (value > 0 ? [`${name} ${Number((value * 100).toFixed(4))}%`] : []);
  const parts = [
    ...(delayUs > 0 ? [`delay ${delayUs / 1000}ms`] : []),
    ...(jitterUs > 0 ? [`jitter ${jitterUs / 1000}ms`] : []),
    ...[...share("loss", loss), ...share("duplicate", duplicate), ...share("reorder", reorder)],
    ...(rateBps === undefined ? [] : [`rate ${rateBps / 1e6}M`]),
  ];
  return `${parts.join(", ")} (seed ${seed})`;
}

function unit(parse: (text: string) => number | undefined, example: string) {
  return (text: string) => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`It must be like ${example}.`);
    return value;
  };
}
