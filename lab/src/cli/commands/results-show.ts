import { findRun } from "../../experiments/find-run.js";
import { formatNumber } from "../../experiments/report/words.js";
import { type Cell, type CellFigures, cellsOf } from "../../experiments/statistics/cells.js";
import { type Judgement, judgeExpectations } from "../../experiments/statistics/expectations.js";
import { describe, factorsOf } from "../../experiments/statistics/match-cells.js";
import { comparePublished, type PublishedComparison } from "../../experiments/statistics/published.js";
import { readRun } from "../../experiments/store.js";
import type { Level } from "../../model/experiment/experiment.js";
import { formatLevel } from "../../model/experiment/factors.js";
import { QUANTITIES, type QuantityName } from "../../model/experiment/quantities.js";
import type { Manifest, Run } from "../../model/experiment/run-folder.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";

export const registerResultsShow: RegisterCommand = (group, io) => {
  const command = group
    .command("show")
    .description("figures of each cell of a run with their intervals, and whether they are what was expected")
    .argument("<run>", "name or folder of a run")
    .option(...JSON_OPTION)
    .action(async (name: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const run = await readRun(engine.host.files, await findRun(engine, name));
        const cells = cellsOf(run);
        const judgements = judgeExpectations(run, cells);
        const published = comparePublished(run, cells);
        const { trials: _, ...manifest } = run.manifest;
        const data = { schemaVersion: 1, folder: run.folder, manifest, cells, judgements, published };
        show(io, options, data, formatShow(run, cells, judgements, published));
      });
    });
  examples(command, [
    "vnflab results show throughput-vs-cores-20260105-100000-ab12",
    "vnflab results show ./run --json",
  ]);
};

function formatShow(
  run: Run,
  cells: readonly Cell[],
  judgements: readonly Judgement[],
  published: readonly PublishedComparison[],
): string {
  const { manifest } = run;
  const verdicts = [
    ...judgements.map(({ verdict, says, reason }) => [`  ${verdict}`, says, reason]),
    ...published.map(({ verdict, source, where, reason }) => [`  ${verdict}`, `${source}; ${where}`, reason]),
  ];
  return [
    ...header(manifest),
    "",
    ...Object.keys(QUANTITIES).flatMap((name) => tableOf(name as QuantityName, cells)),
    ...troubles(cells),
    ...(verdicts.length > 0 ? ["expected:", ...formatTable(verdicts)] : []),
    "",
  ].join("\n");
}

function header({ run, createdAt, experiment, revision, host, fitness, parts }: Manifest): string[] {
  const changed = revision.changed ? ", with changes" : "";
  return [
    `${run}: ${experiment.title}`,
    `begun ${createdAt} with revision ${revision.commit.slice(0, 12)}${changed}`,
    `on ${host.cores} cores of ${host.cpu}, Linux ${host.kernel}${host.hypervisor ? ", itself virtual" : ""}`,
    ...(parts ? [`merged from ${parts.join(", ")}`] : []),
    ...fitness.stamp.map((stamp) => `! ${stamp}`),
  ];
}

function tableOf(name: QuantityName, cells: readonly Cell[]): string[] {
  const rows = cells.flatMap(({ levels, quantities }) => {
    const figures = quantities[name];
    return figures ? [{ levels, figures }] : [];
  });
  const [first] = rows;
  if (!first) return [];
  const factors = factorsOf(first.levels);
  const { title, unit } = QUANTITIES[name];
  const head = [...factors.map(String), "n", "median", "95 % interval", "least", "most", ""];
  const body = rows.map(({ levels, figures }) => [
    ...factors.map((factor) => formatLevel(factor, levels[factor] as Level)),
    ...columnsOf(figures),
  ]);
  return [`${title}, ${unit}`, ...formatTable([head, ...body]), ""];
}

function columnsOf({ n, median, interval, coverage, least, most, values }: CellFigures): string[] {
  const outliers = values.filter(({ outlier }) => outlier).length;
  const notes = [
    ...(outliers > 0 ? [`${outliers} outlier${outliers > 1 ? "s" : ""}`] : []),
    ...(interval && coverage < 0.9 ? [`holds the median with ${Math.round(100 * coverage)} % only`] : []),
  ];
  const range = interval ? `${formatNumber(interval.low)} to ${formatNumber(interval.high)}` : "-";
  return [String(n), formatNumber(median), range, formatNumber(least), formatNumber(most), notes.join("; ")];
}

/** Cells with trials that gave no figures. */
function troubles(cells: readonly Cell[]): string[] {
  const rows = cells.flatMap(({ levels, failed, unavailable, missing }) => {
    const of = (what: string, some: Cell["failed"]) =>
      some.length > 0 ? [[`  ${describe(levels)}`, `${some.length} ${what}`, some[0]?.reasons[0] ?? ""]] : [];
    const gone = missing.length > 0 ? [[`  ${describe(levels)}`, `${missing.length} not run`, ""]] : [];
    return [...of("failed", failed), ...of("unavailable", unavailable), ...gone];
  });
  return rows.length > 0 ? ["without figures:", ...formatTable(rows), ""] : [];
}
