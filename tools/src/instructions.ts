/** `node instructions.js BUILD_DIRECTORY [update]`: counts the instructions of the stack's cases with callgrind, writes
 * build/bench/instructions.json and compares it with the golden file; with `update`, writes the golden files. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { growth, perOperation, selfCosts, total } from "./callgrind.js";

const cases = ["rpc64", "short_conn", "segment1448"];
const allowedRise = 0.03;
const golden = "stack/bench/golden";
const out = "build/bench";

type Table = Record<string, number>;

function count(program: string, name: string): { operations: number; profile: string } {
  const file = `${out}/callgrind.${name}.out`;
  const tool = ["--tool=callgrind", "--collect-atstart=no", `--callgrind-out-file=${file}`, program, name];
  const { status, stdout, stderr, error } = spawnSync("valgrind", tool, { encoding: "utf8" });
  if (status !== 0) throw new Error(`valgrind ${tool.join(" ")}: ${error?.message ?? stderr}`);
  return { operations: Number(stdout), profile: readFileSync(file, "utf8") };
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

function write(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

function percent(before: number, after: number): string {
  const change = (100 * (after - before)) / before;
  return `${change >= 0 ? "+" : ""}${change.toFixed(1)} %`;
}

/** True when the case costs clearly more than it did; then says where. */
function rose(name: string, totals: Table, functions: Record<string, Table>): boolean {
  const before = read<Table>(`${golden}/instructions.json`)[name];
  const after = totals[name];
  if (before === undefined || after === undefined) throw new Error(`${golden}/instructions.json lacks ${name}`);
  process.stdout.write(
    `${name.padEnd(12)} ${String(after).padStart(6)}  golden ${before}, ${percent(before, after)}\n`,
  );
  if (after <= before * (1 + allowedRise)) return false;
  const old = read<Record<string, Table>>(`${golden}/instructions-functions.json`)[name] ?? {};
  const list = growth(new Map(Object.entries(old)), new Map(Object.entries(functions[name] ?? {})), 15);
  for (const item of list)
    process.stdout.write(`  ${item.name.padEnd(32)} ${String(item.before).padStart(5)} -> ${item.after}\n`);
  return true;
}

const [build = "build/c", mode] = process.argv.slice(2);
const totals: Table = {};
const functions: Record<string, Table> = {};
mkdirSync(out, { recursive: true });
for (const name of cases) {
  const { operations, profile } = count(`${build}/stack/bench/bench_instructions`, name);
  const costs = selfCosts(profile);
  totals[name] = Math.round(total(costs) / operations);
  functions[name] = Object.fromEntries(perOperation(costs, operations));
}
write(`${out}/instructions.json`, totals);
if (mode === "update") {
  write(`${golden}/instructions.json`, totals);
  write(`${golden}/instructions-functions.json`, functions);
}
const failed = cases.filter((name) => rose(name, totals, functions));
if (failed.length > 0)
  process.stdout.write(
    `more than ${100 * allowedRise} % above the golden file: ${failed.join(", ")}\n` +
      "make bench-instructions UPDATE=1 writes it anew; callgrind_annotate build/bench/callgrind.CASE.out shows lines\n",
  );
process.exitCode = failed.length > 0 ? 1 : 0;
