/** `make bench-model`: predicts from build/bench/results.json. */
import { readFileSync } from "node:fs";
import type { Distribution } from "./distribution.js";
import { checkTable, costsOf, modelTable } from "./model.js";

const CORES = [1, 2, 3, 4, 6, 8, 12, 16];
const path = process.argv[2] ?? "build/bench/results.json";
const { distribution, host } = JSON.parse(readFileSync(path, "utf8")) as {
  distribution?: Distribution;
  host: { tscHz?: number; cpu: string; cores: number };
};

if (distribution === undefined || host.tscHz === undefined) {
  process.stderr.write(`${path} has nothing about distribution: run \`make bench ROWS=distribution\` first\n`);
  process.exitCode = 1;
} else {
  const costs = costsOf(distribution, host.tscHz);
  const { hz, ...cycles } = costs;
  process.stdout.write(
    `A MODEL from cycles per frame measured on ${host.cpu}, ${host.cores} cores, not a measurement.\n`,
  );
  process.stdout.write(`${(hz / 1e9).toFixed(2)} GHz; cycles a frame: ${JSON.stringify(cycles)}\n\n`);
  process.stdout.write(`${modelTable(costs, CORES)}\n${checkTable(distribution, costs)}`);
}
