import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { EngineContext } from "../../engine/context.js";
import { Lab } from "../../engine/lab.js";
import { VnflabError } from "../../model/error.js";
import { NORMAL, QUICK } from "../../suites/case.js";
import { listCases } from "../../suites/choose-cases.js";
import { formatJunit } from "../../suites/junit.js";
import {
  type CaseReport,
  formatReport,
  formatTable,
  isSuccess,
  nothingTested,
  type SuiteReport,
} from "../../suites/report.js";
import { DEFAULT_SEED, runSuites } from "../../suites/run-suites.js";
import { formatTap } from "../../suites/tap.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";
import { wholeNumber } from "../names.js";

export interface TestOptions extends CommonOptions {
  readonly quick?: boolean;
  readonly suite?: string[];
  readonly case?: string[];
  readonly only?: string[];
  readonly bytes?: number;
  readonly requests?: number;
  readonly datagrams?: number;
  readonly deadline: number;
  readonly out?: string;
  readonly repeat: number;
  readonly untilFail?: boolean;
  readonly pauseOnFail?: boolean;
  readonly seed: number;
  readonly tap?: string;
  readonly junit?: string;
}

export const registerTest: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("test")
    .description("run suites across a lab's machines; exit code 1 when a case fails or is blocked, 43 when none ran")
    .argument("[lab]", "name of the lab; --list needs none")
    .option("--list", "only tell which suites and cases there are");
  examples(command, [
    "vnflab test two-vms",
    "vnflab test two-vms --suite tcp udp --quick",
    "vnflab test two-vms --case tcp.bulk --repeat 10 --until-fail --tap results.tap",
    "vnflab test two-vms --suite failover",
    "vnflab test --list",
  ]);
  addTestOptions(command).action(
    async (name: string | undefined, options: TestOptions & { readonly list?: boolean }) => {
      if (options.list) {
        const cases = listCases(chosenNames(options));
        const rows = cases.map(({ id, title, onDemand }) => [id, onDemand ? `${title} (only when asked for)` : title]);
        return show(io, options, { schemaVersion: 1, cases }, `${formatTable(rows).join("\n")}\n`);
      }
      if (name === undefined) return command.error("error: missing required argument 'lab'");
      await withEngine(io, options, async (engine) => {
        finish(conclude(io, options, await runTests(engine, name, options, io)));
      });
    },
  );
};

/** The options of a run of the suites; `demo` has them too. */
export function addTestOptions(command: Command): Command {
  return command
    .option("--suite <names...>", "these suites, such as tcp or udp")
    .option("--case <ids...>", "these cases, such as udp.echo")
    .option("--only <names...>", "suites or cases")
    .option("--quick", "small amounts")
    .option("--bytes <size>", "of a bulk transfer; k, m, g for 1024 and its powers", size)
    .option("--requests <number>", "of HTTP", wholeNumber)
    .option("--datagrams <number>", "of each UDP case", wholeNumber)
    .option("--repeat <number>", "run all so often", wholeNumber, 1)
    .option("--until-fail", "end at the first case that fails")
    .option("--pause-on-fail", "wait for Enter after a case that failed, with the lab as it left it")
    .option("--seed <number>", "for everything that is left to chance", wholeNumber, DEFAULT_SEED)
    .option("--deadline <seconds>", "for each step of a case", wholeNumber, 300)
    .option("--out <folder>", "for report.json and the artefacts of failed cases")
    .option("--tap <file>", "write the results in the Test Anything Protocol")
    .option("--junit <file>", "write the results as JUnit's XML")
    .option(...JSON_OPTION);
}

export async function runTests(
  engine: EngineContext,
  name: string,
  options: TestOptions,
  io: Io,
): Promise<SuiteReport> {
  const usual = options.quick ? QUICK : NORMAL;
  const only = chosenNames(options);
  const lab = await Lab.open(engine, name);
  const report = await runSuites(lab, {
    amounts: {
      bytes: options.bytes ?? usual.bytes,
      requests: options.requests ?? usual.requests,
      datagrams: options.datagrams ?? usual.datagrams,
    },
    deadlineMs: options.deadline * 1000,
    signal: io.interrupted,
    seed: options.seed,
    rounds: options.repeat,
    untilFail: options.untilFail ?? false,
    ...(only ? { only } : {}),
    ...(options.out ? { folder: options.out } : {}),
    ...(options.pauseOnFail ? { onFailure: pauseAfter(io) } : {}),
  });
  await writeReports(engine, report, options);
  return report;
}

export function chosenNames({ suite = [], case: cases = [], only = [] }: TestOptions): string[] | undefined {
  const names = [...suite, ...cases, ...only];
  return names.length === 0 ? undefined : names;
}

/** Throws VNF_USAGE at once where there is nobody to press Enter. */
function pauseAfter(io: Io): (report: CaseReport) => Promise<void> {
  if (!io.terminal.interactive) {
    throw new VnflabError("VNF_USAGE", "--pause-on-fail needs a terminal on which to press Enter");
  }
  return async ({ id, from, to, message }) => {
    io.err(`${id} ${from} -> ${to} has failed: ${message}\nThe lab is as it left it. Enter goes on, Ctrl-C ends.\n`);
    await Promise.race([io.enter(), new Promise((resolve) => io.interrupted.addEventListener("abort", resolve))]);
  };
}

async function writeReports(engine: EngineContext, report: SuiteReport, { tap, junit }: TestOptions): Promise<void> {
  const { files } = engine.host;
  if (tap !== undefined) await files.write(resolve(tap), formatTap(report));
  if (junit !== undefined) await files.write(resolve(junit), formatJunit(report));
}

/** Shows the report; the exit code, or VNF_NOTHING_TESTED. */
export function conclude(io: Io, options: CommonOptions, report: SuiteReport): number {
  show(io, options, report, formatReport(report));
  if (nothingTested(report)) {
    throw new VnflabError("VNF_NOTHING_TESTED", `no case ran on ${report.lab}: ${report.skipped} were skipped`);
  }
  return isSuccess(report) ? 0 : ANSWER_IS_NO;
}

function size(text: string): number {
  const match = /^([1-9]\d{0,11})([kmg]?)$/i.exec(text);
  if (!match) throw new InvalidArgumentError("It must be a whole number, with k, m or g if you like: 100m.");
  return Number(match[1]) * 1024 ** ["", "k", "m", "g"].indexOf((match[2] ?? "").toLowerCase());
}
