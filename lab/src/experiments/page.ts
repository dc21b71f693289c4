/**
 * The tables in docs/experiments: what an experiment varies, measures, expects and compares with, from its file and the
 * tables of factors and quantities. The words around them are written by hand; a test holds both together.
 */
import type { Expectation, Experiment, FactorName, Level, Levels, Published } from "../model/experiment/experiment.js";
import { completeConditions, FACTOR_NAMES, FACTORS, formatLevel } from "../model/experiment/factors.js";
import { QUANTITIES, type QuantityName } from "../model/experiment/quantities.js";
import { estimateSeconds } from "./plan/estimate.js";
import { planTrials, setupsOfTrials } from "./plan/plan-trials.js";

const BEGIN = "<!-- made by `make golden` from the experiment's file, the factors and the quantities -->";
const END = "<!-- end of what is made -->";

/** The page with what stands between its marks made anew; undefined: it has no such marks. */
export function withTables(page: string, tables: string): string | undefined {
  const [before, rest] = page.split(`${BEGIN}\n`, 2);
  const after = rest?.split(END, 2)[1];
  return after === undefined ? undefined : `${before}${BEGIN}\n\n${tables}\n${END}${after}`;
}

export function indexTable(experiments: readonly Experiment[]): string {
  const rows = experiments.map((experiment) => [
    ...[`[${experiment.name}](${experiment.name}.md)`, experiment.question],
    ...[minutes(experiment, false), minutes(experiment, true)],
  ]);
  return table(["experiment", "asks", "takes", "quickly"], rows);
}

function minutes(experiment: Experiment, quick: boolean): string {
  const plan = planTrials(experiment, { quick, only: [] });
  return `${Math.ceil(estimateSeconds(plan.trials, plan.experiment) / 60)} min`;
}

export function experimentTables(experiment: Experiment): string {
  const { expected, published } = experiment;
  return [
    "### What varies",
    "",
    factorTable(experiment),
    "### What does not",
    "",
    fixedTable(experiment),
    "### Trials",
    "",
    trialTable(experiment),
    ...leftOutLines(experiment),
    "### Quantities",
    "",
    quantityTable(experiment.quantities),
    ...(expected.length > 0 ? ["### Expectations", "", expectationTable(expected)] : []),
    ...(published.length > 0 ? ["### Published figures", "", ...published.map(publishedTable)] : []),
  ].join("\n");
}

function factorTable({ factors, quick }: Experiment): string {
  const rows = factors.map(({ name, levels }) => [
    ...[`\`${name}\``, inWords(name, levels), inWords(name, quick.factors[name] ?? levels)],
    ...[FACTORS[name].unit, FACTORS[name].meaning, FACTORS[name].endsIn],
  ]);
  return table(["factor", "levels", "quickly", "unit", "what it is", "where it ends"], rows);
}

function inWords(name: FactorName, levels: readonly Level[]): string {
  return levels.map((level) => formatLevel(name, level)).join(", ");
}

function fixedTable({ factors, fixed }: Experiment): string {
  const names = FACTOR_NAMES.filter((name) => !factors.some((factor) => factor.name === name));
  const rows = names.map((name) => {
    const level = fixed[name];
    const { unit, meaning, usualWords } = FACTORS[name];
    const usual = usualWords ?? formatLevel(name, completeConditions({})[name]);
    return [`\`${name}\``, level === undefined ? `${usual} (usual)` : formatLevel(name, level), unit, meaning];
  });
  return table(["factor", "level", "unit", "what it is"], rows);
}

function trialTable(experiment: Experiment): string {
  const rows = [false, true].map((quick) => {
    const { experiment: it, trials } = planTrials(experiment, { quick, only: [] });
    const cells = new Set(trials.filter(({ telemetry }) => !telemetry).map(({ cell }) => cell)).size;
    const setups = setupsOfTrials(trials).toSorted((a, b) => a.queues - b.queues);
    return [
      ...[quick ? "quickly" : "in full", String(cells), String(it.repetitions)],
      ...[String(trials.length), `${it.warmupS} s`, `${it.durationS} s`],
      setups.map(({ cpus, queues }) => `${count(cpus, "CPU")} and ${count(queues, "queue")}`).join("; "),
    ];
  });
  return table(["", "combinations", "repetitions", "trials", "warm-up", "counts", "machines with"], rows);
}

function leftOutLines(experiment: Experiment): string[] {
  const { leftOut, trials } = planTrials(experiment, { quick: false, only: [] });
  const lines = [
    ...(trials.some(({ telemetry }) => telemetry)
      ? ["One trial of each combination is one more, in which the stack's counters are read; its speed does not count."]
      : []),
    ...leftOut.map(({ because, combinations }) => `${combinations} combinations are left out: ${because}.`),
  ];
  return lines.flatMap((line) => [line, ""]);
}

function quantityTable(names: readonly QuantityName[]): string {
  const rows = names.map((name) => {
    const { unit, definition, place, formula, better, telemetry } = QUANTITIES[name];
    return [`\`${name}\``, unit, definition, place, formula, better, telemetry ? "counters" : "speed"];
  });
  return table(["quantity", "unit", "definition", "place", "formula", "better", "trials"], rows);
}

function expectationTable(expected: readonly Expectation[]): string {
  const rows = expected.map((it) => [
    ...[`\`${it.name}\``, it.says, `\`${it.quantity}\``, cells(it.where)],
    ...[judgedBy(it), it.needs.join(", ")],
  ]);
  return table(["name", "what should be seen", "quantity", "where", "holds when", "the host must be fit for"], rows);
}

function judgedBy(it: Expectation): string {
  switch (it.kind) {
    case "ratio":
      return `(${cells(it.of)}) / (${cells(it.to)}) is ${bounds(it)}`;
    case "order":
      return `${inWords(it.by, it.order)}: each at most ${percent(it.tolerance)} above the one before`;
    case "trend":
      return `along ${it.along} it ${it.direction === "flat" ? "stays" : it.direction}, within ${percent(it.tolerance)}`;
    case "saturation":
      return `beyond ${it.along} ${formatLevel(it.along, it.from)} less than ${percent(it.tolerance)} is gained`;
  }
}

function bounds({ least, most }: { readonly least?: number; readonly most?: number }): string {
  if (least === undefined) return `at most ${most}`;
  return most === undefined ? `at least ${least}` : `from ${least} to ${most}`;
}

function publishedTable({ source, where, setup, quantity, unit, points, tolerance }: Published): string {
  return [
    `${source}. ${where}. ${setup}. Ratios of its points may differ from ours by ${percent(tolerance)}.`,
    "",
    table(
      ["levels", `\`${quantity}\`, ${unit}`],
      points.map(({ levels, value }) => [cells(levels), value.toLocaleString("en")]),
    ),
  ].join("\n");
}

function cells(levels: Levels): string {
  const entries = Object.entries(levels) as [FactorName, Level][];
  return entries.map(([name, level]) => `${name} ${formatLevel(name, level)}`).join(", ") || "all";
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function percent(part: number): string {
  return `${Number((part * 100).toPrecision(6))} %`;
}

/** Markdown; ends with a line of its own. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cellsOfRow: readonly string[]) =>
    `| ${cellsOfRow.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return `${[line(header), `|${"---|".repeat(header.length)}`, ...rows.map(line)].join("\n")}\n`;
}
