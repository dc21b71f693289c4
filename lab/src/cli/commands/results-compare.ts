import { InvalidArgumentError, Option } from "commander";
import { findRun } from "../../experiments/find-run.js";
import { formatNumber } from "../../experiments/report/words.js";
import {
  type CellDifference,
  compareRuns,
  type Difference,
  LEAST_EFFECT,
  type NotCompared,
  type RunsCompared,
} from "../../experiments/results/compare.js";
import { describe } from "../../experiments/statistics/match-cells.js";
import { readRun } from "../../experiments/store.js";
import { formatTable } from "../../suites/report.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

interface Options extends CommonOptions {
  readonly leastEffect: number;
  readonly gate: "worse" | "any";
  readonly all?: boolean;
}

export const registerResultsCompare: RegisterCommand = (group, io, finish) => {
  const command = group
    .command("compare")
    .description("whether a run differs from another, in its cells and as a whole; exit code 1 when it is worse")
    .argument("<a>", "name or folder of the run before")
    .argument("<b>", "name or folder of the run after")
    .option("--least-effect <percent>", "smaller differences are not told", percent, 100 * LEAST_EFFECT)
    .addOption(new Option("--gate <what>", "exit code 1 for that").choices(["worse", "any"]).default("worse"))
    .option("--all", "print each cell, not those that differ alone")
    .option(...JSON_OPTION)
    .action(async (before: string, after: string, options: Options) => {
      await withEngine(io, options, async (engine) => {
        const [a, b] = [
          await readRun(engine.host.files, await findRun(engine, before)),
          await readRun(engine.host.files, await findRun(engine, after)),
        ];
        const compared = compareRuns(a, b, { leastEffect: options.leastEffect / 100 });
        show(io, options, { schemaVersion: 1, ...compared }, formatCompared(compared, options.all ?? false));
        const { worse, better, changed } = compared;
        finish(worse || (options.gate === "any" && (better || changed)) ? ANSWER_IS_NO : 0);
      });
    });
  examples(command, [
    "vnflab results compare before after",
    "vnflab results compare before after --gate any --least-effect 10",
    "vnflab results compare ./recorded ./again --all",
  ]);
};

function percent(text: string): number {
  if (!/^\d{1,2}(\.\d+)?$/.test(text)) throw new InvalidArgumentError("It must be a number of percent, 0 to 99.");
  return Number(text);
}

function formatCompared(compared: RunsCompared, all: boolean): string {
  const { a, b, quantities, cells, lost, notCompared, warnings } = compared;
  const shown = all ? cells : cells.filter(({ flag }) => flag !== "none");
  const counted = [
    `${cells.length} figures of single cells, ${cells.filter(({ flag }) => flag !== "none").length} of them differ`,
  ];
  return [
    `${b} (B) compared with ${a} (A)`,
    ...warnings.map((warning) => `! ${warning}`),
    "",
    ...formatTable([
      ["over all cells", "cells", "B / A", "95 % interval", "p", ""],
      ...quantities.map((one) => [one.quantity, String(one.cells), ...columnsOf(one)]),
    ]),
    ...(cells.length > 0 ? ["", ...counted] : []),
    ...(shown.length > 0
      ? formatTable([["cell", "quantity", "A", "B", "B / A", "95 % interval", "p", ""], ...shown.map(cellRow)])
      : []),
    ...listOf("lost in B:", lost),
    ...listOf("not compared:", notCompared),
    "",
    `${sayingOf(compared)}\n`,
  ].join("\n");
}

function columnsOf({ ratio, interval, corrected, flag, because }: Difference): string[] {
  const range = `${factor(interval.low)} to ${factor(interval.high)}`;
  const p = corrected < 0.0001 ? "< 0.0001" : corrected.toFixed(4);
  return [factor(ratio), range, p, flag === "none" ? (because ?? "") : flag];
}

const factor = (ratio: number) => ratio.toFixed(3);

function cellRow(cell: CellDifference): string[] {
  const [a, b] = cell.medians;
  return [describe(cell.levels), cell.quantity, formatNumber(a), formatNumber(b), ...columnsOf(cell)];
}

function listOf(title: string, some: readonly NotCompared[]): string[] {
  return some.length > 0
    ? ["", title, ...formatTable(some.map(({ levels, why }) => [`  ${describe(levels)}`, why]))]
    : [];
}

function sayingOf({ worse, better, changed, leastEffect }: RunsCompared): string {
  const found = [...(worse ? ["worse"] : []), ...(better ? ["better"] : []), ...(changed ? ["changed"] : [])];
  if (found.length > 0) return `B is ${found.join(" and ")}`;
  return `no difference of ${formatNumber(100 * leastEffect)} % or more was found`;
}
