/** One row: runs of both sides in turn, and what is made of them. */
import { readFileSync } from "node:fs";
import type { LatencyUs } from "./result.js";
import { openLoop, type Row, type Timing } from "./rows.js";
import { addresses, type Measured, runOnce, type Side } from "./side.js";
import { compare, median, rounded } from "./stats.js";
import { busyPercent, MOST_STEAL_PERCENT, parseCpuTimes, untilQuiet } from "./steal.js";

export interface Plan {
  timing: Timing;
  runs: number;
  www: string;
  log: (line: string) => void;
}

export interface SideFigures {
  values: number[];
  latencies: LatencyUs[];
  stealPercent: number;
  repeats: number;
}

export interface HalfLoad {
  rate: number;
  latencyUs: LatencyUs;
}

/** A row of results.json: the seven fields first, then what else is known. */
export interface RowResult {
  name: string;
  unit: string;
  ours: number;
  kernel: number | null;
  ratio: number | null;
  spread: number | null;
  runs: number;
  what: string;
  offloads: boolean;
  values: Record<string, number[]>;
  latencyUs?: Record<string, LatencyUs>;
  halfLoad?: Record<string, HalfLoad> & { p99OursNoWorseThanP50Kernel?: boolean };
  stealPercent: number;
  repeatsForSteal: number;
  /** How busy the machine was just before the row, when nothing of ours ran. */
  busyBeforePercent: number;
}

const times = () => parseCpuTimes(readFileSync("/proc/stat", "utf8"));
const MOST_BUSY_PERCENT = 5;
const LOOK_MS = 300;

/** Others on this machine falsify a measurement as much as a hypervisor does, but steal does not show them. */
async function busyBefore(): Promise<number> {
  const before = times();
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  return rounded(busyPercent(before, times()), 3);
}

const none = (): SideFigures => ({ values: [], latencies: [], stealPercent: 0, repeats: 0 });

/** A figure that counts: measured, and again when others took more than 2 % of the time. */
async function figure(row: Row, run: () => Promise<Measured>, into: SideFigures): Promise<void> {
  const quiet = await untilQuiet(run, times);
  into.values.push(row.value(quiet.value.client, quiet.value.server));
  if (row.latency) into.latencies.push(row.latency(quiet.value.client));
  into.stealPercent = Math.max(into.stealPercent, quiet.stealPercent);
  into.repeats += quiet.repeats;
}

function medianLatency(all: readonly LatencyUs[]): LatencyUs {
  const of = (key: keyof LatencyUs) => rounded(median(all.map((one) => one[key])), 4);
  return { p50: of("p50"), p99: of("p99"), p999: of("p999") };
}

function seconds({ warmupS, durationS }: Timing): number {
  return warmupS + durationS;
}

async function halfLoad(side: Side, row: Row, plan: Plan, peak: number): Promise<HalfLoad> {
  const found = none();
  const at = addresses(side, plan.www);
  const commands = openLoop(row, plan.timing, at, peak / 2);
  for (let run = 0; run < Math.min(3, plan.runs); run += 1)
    await figure(row, () => runOnce(side, row, commands, seconds(plan.timing)), found);
  return { rate: Math.round(peak / 2), latencyUs: medianLatency(found.latencies) };
}

async function measureHalfLoad(sides: readonly Side[], row: Row, plan: Plan, all: Map<Side, SideFigures>) {
  const loads: Record<string, HalfLoad> = {};
  for (const side of sides) {
    loads[side.name] = await halfLoad(side, row, plan, median(all.get(side)?.values ?? []));
    plan.log(`${row.name}: at half load ${side.name} ${JSON.stringify(loads[side.name])}`);
  }
  const { ours, kernel } = loads;
  if (ours === undefined || kernel === undefined) return loads;
  return Object.assign(loads, { p99OursNoWorseThanP50Kernel: ours.latencyUs.p99 <= kernel.latencyUs.p50 });
}

/** All runs of a row, the sides in turn. */
export async function measureRow(row: Row, sides: readonly Side[], plan: Plan): Promise<RowResult> {
  const all = new Map(sides.map((side) => [side, none()] as const));
  const busy = await busyBefore();
  if (busy > MOST_BUSY_PERCENT) plan.log(`${row.name}: others keep ${busy} % of this machine busy: do not trust it`);
  for (let run = 0; run < plan.runs; run += 1) {
    for (const [side, figures] of all) {
      const commands = row.commands(plan.timing, addresses(side, plan.www));
      await figure(row, () => runOnce(side, row, commands, seconds(plan.timing)), figures);
      plan.log(
        `${row.name}: run ${run + 1} ${side.name} ${rounded(figures.values.at(-1) ?? Number.NaN, 4)} ${row.unit}`,
      );
    }
  }
  const result = summary(row, all, busy);
  if (row.halfLoad) result.halfLoad = await measureHalfLoad(sides, row, plan, all);
  if (result.stealPercent > MOST_STEAL_PERCENT)
    plan.log(`${row.name}: others took up to ${result.stealPercent} % of the time: do not trust it`);
  return result;
}

function summary(row: Row, all: ReadonlyMap<Side, SideFigures>, busyBeforePercent: number): RowResult {
  const named = Object.fromEntries([...all].map(([side, figures]) => [side.name, figures]));
  const ours = named.ours?.values ?? [];
  const kernel = named.kernel?.values ?? [];
  const both = ours.length > 0 && kernel.length > 0;
  const figures = both ? compare(ours, kernel) : undefined;
  const latency = Object.entries(named).map(([name, { latencies }]) => [name, medianLatency(latencies)] as const);
  return {
    name: row.name,
    unit: row.unit,
    ours: rounded(median(ours)),
    kernel: kernel.length > 0 ? rounded(median(kernel)) : null,
    ratio: figures ? rounded(figures.ratio, 4) : null,
    spread: figures ? rounded(figures.spread, 3) : null,
    runs: Math.max(ours.length, kernel.length),
    what: row.what,
    offloads: row.offloads,
    values: Object.fromEntries(
      Object.entries(named).map(([name, { values }]) => [name, values.map((v) => rounded(v))]),
    ),
    ...(row.latency ? { latencyUs: Object.fromEntries(latency) } : {}),
    stealPercent: rounded(Math.max(...Object.values(named).map(({ stealPercent }) => stealPercent)), 3),
    repeatsForSteal: Object.values(named).reduce((sum, { repeats }) => sum + repeats, 0),
    busyBeforePercent,
  };
}
