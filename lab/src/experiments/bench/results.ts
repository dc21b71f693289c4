/** The result of a bench: plain data, the format of build/bench/results.json with the design in each row. */
import { extent, median } from "simple-statistics";
import type { Distribution } from "../../model/distribution.js";
import { formatTable } from "../../suites/report.js";

export interface BenchHost {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly hypervisor: boolean;
}

export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly design: Distribution;
  /** Of the server's stack; the others of its cores only distribute. */
  readonly workers: number;
  readonly cores: number;
  readonly queues: number;
  /** The stack has more threads than the machine has CPUs. */
  readonly sharesCpus: boolean;
  /** Medians; null: not measured, and `problems` or `notes` says why. */
  readonly ours: number | null;
  readonly kernel: number | null;
  /** Median of the ratios of the pairs. */
  readonly ratio: number | null;
  /** Of the ratios, or of our values when there is no kernel's: largest less smallest, as a part of the median. */
  readonly spread: number | null;
  /** Pairs that count. */
  readonly runs: number;
  /** Run by run; null: that run failed. */
  readonly values: { readonly ours: readonly (number | null)[]; readonly kernel?: readonly (number | null)[] };
  readonly problems: readonly string[];
}

export interface Pair {
  readonly ours: number | null;
  readonly kernel: number | null;
}

export interface BenchResults {
  readonly schemaVersion: 1;
  readonly lab: string;
  readonly startedAt: string;
  readonly host: BenchHost;
  /** What every figure must be read with. */
  readonly notes: readonly string[];
  readonly rows: readonly BenchRow[];
  /** Folder of results.json. */
  readonly folder: string;
}

/** All that was to be measured was measured. */
export function isComplete({ rows }: BenchResults): boolean {
  return rows.length > 0 && rows.every(({ problems }) => problems.length === 0);
}

/** What the pairs come to; a pair with a side that failed does not count. */
export function summarise(pairs: readonly Pair[], withKernel: boolean) {
  const whole = pairs.filter(({ ours, kernel }) => ours !== null && (kernel !== null || !withKernel));
  const ours = whole.map((pair) => pair.ours ?? Number.NaN);
  const kernel = withKernel ? whole.map((pair) => pair.kernel ?? Number.NaN) : [];
  const ratios = kernel.map((value, index) => (ours[index] ?? Number.NaN) / value);
  const noted = (values: readonly number[], figure: (values: number[]) => number) =>
    values.length === 0 ? null : figure([...values]);
  return {
    ours: noted(ours, median),
    kernel: noted(kernel, median),
    ratio: noted(ratios, median),
    spread: noted(withKernel ? ratios : ours, spread),
    runs: whole.length,
    values: {
      ours: pairs.map((pair) => pair.ours),
      ...(withKernel ? { kernel: pairs.map((pair) => pair.kernel) } : {}),
    },
  };
}

/** Noise that hits a pair hits both sides of it, so it is the ratios of the pairs whose spread counts. */
function spread(values: number[]): number {
  const [least, most] = extent(values);
  return (most - least) / median(values);
}

const COLUMNS = ["row", "design", "cores", "ours", "kernel", "unit", "ours/kernel", "spread", "runs"];

export function formatBench(results: BenchResults): string {
  const cells = results.rows.map((row) => [
    row.name,
    row.design,
    `${row.cores}${row.cores > row.workers ? ` (${row.workers} workers)` : ""}${row.sharesCpus ? " shared" : ""}`,
    amount(row.ours),
    amount(row.kernel),
    row.unit,
    row.ratio === null ? "-" : row.ratio.toFixed(2),
    row.spread === null ? "-" : `${(row.spread * 100).toFixed(0)} %`,
    String(row.runs),
  ]);
  const problems = results.rows.flatMap(({ name, design, problems: all }) =>
    all.map((problem) => `${name} ${design}: ${problem}`),
  );
  return `${[...formatTable([COLUMNS, ...cells]), "", ...problems, ...results.notes].join("\n")}\n`;
}

function amount(value: number | null): string {
  if (value === null) return "-";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
