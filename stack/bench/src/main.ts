/** `make bench`: every row on our stack and on the kernel in turn, a table, and build/bench/results.json. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Distribution, distributionTable, measureDistribution } from "./distribution.js";
import { hostFacts } from "./host.js";
import { takeHugepages } from "./hugepages.js";
import { KernelSide } from "./kernel-side.js";
import { measureRow, type Plan, type RowResult } from "./measure.js";
import { type Options, parseOptions, USAGE } from "./options.js";
import { OurSide } from "./our-side.js";
import { stopAll } from "./process.js";
import type { Row } from "./rows.js";
import type { Side } from "./side.js";
import { table } from "./table.js";

const log = (line: string) => process.stderr.write(`${line}\n`);
const message = (error: unknown) => (error instanceof Error ? error.message : String(error));
let stopping = false;
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      stopping = true;
      reject(new Error(signal));
    });
});
interrupted.catch(() => undefined);

interface Results {
  schemaVersion: 1;
  host: object;
  rows: RowResult[];
  distribution?: Distribution;
}

function writeResults(path: string, results: Results): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
}

function makeWww(dir: string): string {
  const www = join(dir, "www");
  mkdirSync(www);
  writeFileSync(join(www, "file"), "x".repeat(64));
  return www;
}

function openSides(options: Options, dir: string, hugepages: boolean): Side[] {
  const cpus = availableParallelism();
  if (cpus < 2) log("one core: both ends share it, and nothing here is what two cores would show");
  const { build, keys } = options;
  return options.sides.map((name) =>
    name === "ours" ? new OurSide({ dir, build, hugepages, cpus, keys }) : new KernelSide({ dir, build, cpus }),
  );
}

/** A row that fails is told and left out; the others are still worth having. */
async function measureOrSay(row: Row, sides: readonly Side[], plan: Plan): Promise<RowResult | undefined> {
  try {
    return await measureRow(row, sides, plan);
  } catch (error) {
    await stopAll();
    if (stopping) return undefined;
    log(`${row.name}: ${message(error)}`);
    process.exitCode = 1;
    return undefined;
  }
}

async function measureAll(options: Options, dir: string, sides: readonly Side[], hugepages: boolean): Promise<void> {
  const plan = { timing: options, runs: options.runs, www: makeWww(dir), log };
  const results: Results = { schemaVersion: 1, host: hostFacts(hugepages), rows: [] };
  for (const row of options.rowsChosen) {
    const measured = await Promise.race([measureOrSay(row, sides, plan), interrupted]);
    if (measured) results.rows.push(measured);
    writeResults(options.out, results);
  }
  if (results.rows.length > 0) process.stdout.write(table(results.rows));
  if (options.distribution) {
    const place = { dir, build: options.build, hugepages, cpus: availableParallelism() };
    results.distribution = await Promise.race([measureDistribution(place, log), interrupted]);
    writeResults(options.out, results);
    process.stdout.write(`\n${distributionTable(results.distribution)}`);
  }
}

async function bench(options: Options): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "vnbench-"));
  let sides: Side[] = [];
  try {
    using hugepages = takeHugepages();
    log(hugepages.said);
    try {
      sides = openSides(options, dir, hugepages.on);
      await measureAll(options, dir, sides, hugepages.on);
      log(`written to ${options.out}`);
    } finally {
      await stopAll();
      for (const side of sides) await side[Symbol.asyncDispose]();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options) await bench(options);
  else process.stdout.write(USAGE);
} catch (error) {
  log(`bench: ${message(error)}`);
  process.exitCode = 1;
}
