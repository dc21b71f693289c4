/** Options of the commands that plan an experiment: which of its trials, how often, on what. */
import { type Command, InvalidArgumentError } from "commander";
import type { MachineKind } from "../model/experiment/experiment.js";
import type { PlanOptions } from "../model/experiment/trial.js";
import { didYouMean } from "../model/suggest.js";
import { wholeNumber } from "./names.js";

export interface PlanFlags {
  readonly quick?: boolean;
  readonly only?: PlanOptions["only"];
  readonly repeat?: number;
  readonly seed?: number;
  readonly shard?: NonNullable<PlanOptions["shard"]>;
  readonly set?: MachineKind;
}

export function addPlanOptions(command: Command): Command {
  return command
    .option("--quick", "the experiment's own short form: fewer levels, fewer repetitions, shorter trials")
    .option("--only <factor=levels>", "of a factor these levels alone, such as workers=1,2; repeatable", parseOnly)
    .option("--repeat <number>", "measure each combination so often", wholeNumber)
    .option("--seed <number>", "of the order of the trials", parseSeed)
    .option("--shard <part>", "one part of the trials, such as 2/3: the second of three hosts", parseShard)
    .option("--set <key=value>", "machines=vm or machines=process", parseMachines);
}

export function planOptionsOf({ quick, only, repeat, seed, shard, set }: PlanFlags): PlanOptions {
  return {
    quick: quick ?? false,
    only: only ?? [],
    ...(repeat === undefined ? {} : { repeat }),
    ...(seed === undefined ? {} : { seed }),
    ...(set === undefined ? {} : { machines: set }),
    ...(shard === undefined ? {} : { shard }),
  };
}

function parseOnly(text: string, before: PlanOptions["only"] = []): PlanOptions["only"] {
  const match = /^([^=\s]+)=(.+)$/.exec(text);
  const levels = (match?.[2] ?? "").split(",").filter((level) => level !== "");
  if (!match || levels.length === 0) throw new InvalidArgumentError("Write FACTOR=LEVEL[,LEVEL], such as workers=1,2.");
  return [...before, { factor: match[1] as string, levels }];
}

function parseSeed(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffffffff) {
    throw new InvalidArgumentError("It must be a whole number from 0 to 4294967295.");
  }
  return Number(text);
}

function parseShard(text: string): NonNullable<PlanOptions["shard"]> {
  const match = /^(\d{1,4})\/(\d{1,4})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || index < 1 || index > count) throw new InvalidArgumentError("Write PART/PARTS, such as 2/3.");
  return { index, count };
}

const KINDS: readonly MachineKind[] = ["vm", "process"];

function parseMachines(text: string): MachineKind {
  const [key = "", value = ""] = text.split("=", 2);
  const kind = KINDS.find((one) => one === value);
  if (key === "machines" && kind) return kind;
  const near = key === "machines" ? didYouMean(value, KINDS) : didYouMean(key, ["machines"]);
  throw new InvalidArgumentError(`An experiment takes machines=vm or machines=process${near}.`);
}
