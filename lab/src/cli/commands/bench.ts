import type { EngineContext } from "../../engine/context.js";
import { down } from "../../engine/down.js";
import { Lab } from "../../engine/lab.js";
import { listLabs } from "../../engine/ls.js";
import { exampleFile, type UpOptions, up } from "../../engine/up.js";
import { chooseDesigns } from "../../experiments/bench/designs.js";
import { formatBench, isComplete } from "../../experiments/bench/results.js";
import { chooseRows } from "../../experiments/bench/rows.js";
import { type BenchOptions, runBench } from "../../experiments/bench/run-bench.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import { wholeNumber } from "../names.js";
import { addSetOption, type SetOptions } from "../set-option.js";

interface Options extends CommonOptions {
  readonly rows?: string[];
  readonly designs?: string[];
  readonly runs: number;
  readonly seconds: number;
  readonly connections: number;
  readonly deadline: number;
  readonly out?: string;
}

export const registerBench: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("bench")
    .description(
      "measure the stack in each design against the guests' kernel, over the same vports; exit code 1 when a figure is missing",
    )
    .argument("<lab>", "name of a lab that runs; otherwise an example or lab file, up and down in one")
    .option("--rows <names...>", "of the table: rpc64, short-conn, udp64, udp1400, bulk")
    .option("--designs <names...>", "of distribution: direct, shared, 1kb, 2kb, auto")
    .option("--runs <number>", "rounds of kernel and designs; figures are medians", wholeNumber, 3)
    .option("--seconds <number>", "each run", wholeNumber, 3)
    .option("--connections <number>", "of rpc64 and short-conn at once", wholeNumber, 100)
    .option("--deadline <seconds>", "for each step of a run", wholeNumber, 120)
    .option("--out <folder>", "for results.json")
    .option(...JSON_OPTION);
  addSetOption(command).action(async (name: string, options: Options & SetOptions) => {
    // Before minutes are spent on a lab that cannot be measured.
    const { runs, seconds, connections } = options;
    const bench: BenchOptions = {
      ...{ runs, seconds, connections, signal: io.interrupted, deadlineMs: options.deadline * 1000 },
      rows: chooseRows(options.rows),
      designs: chooseDesigns(options.designs),
      ...(options.out ? { folder: options.out } : {}),
    };
    await withEngine(io, options, async (engine) => {
      await using lab = await openOrUp(engine, name, { signal: io.interrupted, settings: options.set ?? [] });
      const results = await runBench(await Lab.open(engine, lab.name), bench);
      show(io, options, results, formatBench(results));
      if (!isComplete(results)) finish(ANSWER_IS_NO);
    });
  });
  examples(command, [
    "vnflab bench two-vms",
    "vnflab bench one-queue-many-cores --rows rpc64 --designs shared 1kb --runs 5",
  ]);
};

/** A lab that ran before runs on; one that was started for this goes again, whatever happens. */
async function openOrUp(
  engine: EngineContext,
  name: string,
  options: UpOptions,
): Promise<{ readonly name: string } & AsyncDisposable> {
  if ((await listLabs(engine)).includes(name)) return { name, async [Symbol.asyncDispose]() {} };
  const { lab } = await up(engine, name.includes("/") ? name : exampleFile(engine, name), options);
  return { name: lab, [Symbol.asyncDispose]: () => down(engine, lab) };
}
