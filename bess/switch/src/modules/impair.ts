// SPDX-License-Identifier: BSD-3-Clause
import { type MessageRead, pack, unpack } from "@vnflab/bess-proto";
import { invalid } from "../errors.js";
import { command, MAX_LANES, type ModuleClass } from "./module-class.js";

/** What the data plane counts probabilities in. */
const CERTAIN = 1e9;
const MAX_NS = 60e9;
const MAX_PACKETS = 2 ** 20;
const MAX_RATE = 1e12;

type ImpairArg = MessageRead<"ImpairArg">;

const CHANCES = ["loss", "duplicate", "corrupt", "reorder"] as const;

/** In the data plane's order. */
const COUNTERS = [
  "packets",
  "bytes",
  "lost",
  "limited",
  "delayed",
  "duplicated",
  "reordered",
  "corrupted",
  "released",
  "held",
  "no_buffer",
  "late_ns",
  "late_max_ns",
] as const;

function check(name: keyof ImpairArg, value: number, max: number): void {
  if (!(value >= 0 && value <= max)) throw invalid(`Invalid ${name} ${value}: 0 to ${max} is allowed`);
}

/** The data plane's words, in its order. */
function words(arg: ImpairArg): number[] {
  check("delay_ns", arg.delay_ns, MAX_NS);
  check("jitter_ns", arg.jitter_ns, MAX_NS);
  for (const name of CHANCES) check(name, arg[name], 1);
  check("rate_bps", arg.rate_bps, MAX_RATE);
  check("limit_packets", arg.limit_packets, MAX_PACKETS);
  check("limit_bytes", arg.limit_bytes, Number.MAX_SAFE_INTEGER);
  check("seed", arg.seed, Number.MAX_SAFE_INTEGER);
  check("gap", arg.gap, 2 ** 31 - 1);
  return [
    ...[arg.delay_ns, arg.jitter_ns, arg.distribution],
    ...CHANCES.map((name) => Math.round(arg[name] * CERTAIN)),
    ...[arg.gap, arg.keep_order ? 1 : 0, arg.rate_bps, arg.limit_bytes, arg.limit_packets, arg.seed],
  ];
}

function fromWords(words: number[]): ImpairArg {
  const [delay_ns = 0, jitter_ns = 0, distribution = 0, ...rest] = words;
  const [loss = 0, duplicate = 0, corrupt = 0, reorder = 0, gap = 0, order = 0, ...limits] = rest;
  const [rate_bps = 0, limit_bytes = 0, limit_packets = 0, seed = 0] = limits;
  return {
    ...{ delay_ns, jitter_ns, distribution: distribution === 1 ? 1 : 0 },
    ...{ loss: loss / CERTAIN, duplicate: duplicate / CERTAIN, corrupt: corrupt / CERTAIN, reorder: reorder / CERTAIN },
    ...{ gap, keep_order: order === 1, rate_bps, limit_bytes, limit_packets, seed },
  };
}

const WORDS = 13;

export const impair: ModuleClass = {
  name: "Impair",
  help: "delay, jitter, loss, duplication, reordering, corruption and a rate limit; gate i in, gate i out",
  template: "impair",
  igates: MAX_LANES,
  ogates: MAX_LANES,
  commands: {
    set: command("ImpairCommandSetArg", true, ({ id, plane }, arg) => {
      plane.command(id, "set", words(arg.impair ?? unpack("ImpairArg", null)));
    }),
    get: command("ImpairCommandGetArg", true, ({ id, plane }) => {
      const counters = plane.query(id, "counters", [], COUNTERS.length);
      return pack("ImpairCommandGetResponse", {
        impair: fromWords(plane.query(id, "config", [], WORDS)),
        ...Object.fromEntries(COUNTERS.map((name, i) => [name, counters[i] ?? 0])),
      });
    }),
  },
  create: (_context, any) => ({ args: words(unpack("ImpairArg", any)) }),
};
