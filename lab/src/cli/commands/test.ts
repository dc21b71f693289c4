import { type Command, InvalidArgumentError } from "commander";
import type { EngineContext } from "../../engine/context.js";
import { Lab } from "../../engine/lab.js";
import { NORMAL, QUICK } from "../../suites/case.js";
import { formatReport, isSuccess, type SuiteReport } from "../../suites/report.js";
import { runSuites } from "../../suites/run-suites.js";
import { ANSWER_IS_NO, type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";
import { wholeNumber } from "../names.js";

export interface TestOptions extends CommonOptions {
  readonly quick?: boolean;
  readonly only?: string[];
  readonly bytes?: number;
  readonly requests?: number;
  readonly datagrams?: number;
  readonly deadline: number;
  readonly out?: string;
}

export const registerTest: RegisterCommand = (program, io, finish) => {
  const command = program
    .command("test")
    .description("run the TCP and UDP suites across a lab's machines; exit code 1 when a case fails")
    .argument("<lab>", "name of the lab");
  examples(command, [
    "vnflab test two-vms",
    "vnflab test two-vms --suite tcp udp --quick",
    "vnflab test two-vms --case tcp.bulk --repeat 10 --until-fail --tap results.tap",
  ]);
  addTestOptions(command).action(async (name: string, options: TestOptions) => {
    await withEngine(io, options, async (engine) => {
      const report = await runTests(engine, name, options, io.interrupted);
      showReport(io, options, report);
      if (!isSuccess(report)) finish(ANSWER_IS_NO);
    });
  });
};

/** The options of a run of the suites; `demo` has them too. */
export function addTestOptions(command: Command): Command {
  return command
    .option("--only <names...>", "suites or cases, such as tcp or udp.echo")
    .option("--quick", "small amounts")
    .option("--bytes <size>", "of a bulk transfer; k, m, g for 1024 and its powers", size)
    .option("--requests <number>", "of HTTP", wholeNumber)
    .option("--datagrams <number>", "of each UDP case", wholeNumber)
    .option("--deadline <seconds>", "for each step of a case", wholeNumber, 300)
    .option("--out <folder>", "for report.json and the artefacts of failed cases")
    .option(...JSON_OPTION);
}

export async function runTests(
  engine: EngineContext,
  name: string,
  options: TestOptions,
  signal: AbortSignal,
): Promise<SuiteReport> {
  const usual = options.quick ? QUICK : NORMAL;
  return runSuites(await Lab.open(engine, name), {
    amounts: {
      bytes: options.bytes ?? usual.bytes,
      requests: options.requests ?? usual.requests,
      datagrams: options.datagrams ?? usual.datagrams,
    },
    deadlineMs: options.deadline * 1000,
    signal,
    ...(options.only ? { only: options.only } : {}),
    ...(options.out ? { folder: options.out } : {}),
  });
}

export function showReport(io: Io, options: CommonOptions, report: SuiteReport): void {
  show(io, options, report, formatReport(report));
}

function size(text: string): number {
  const match = /^([1-9]\d{0,11})([kmg]?)$/i.exec(text);
  if (!match) throw new InvalidArgumentError("It must be a whole number, with k, m or g if you like: 100m.");
  return Number(match[1]) * 1024 ** ["", "k", "m", "g"].indexOf((match[2] ?? "").toLowerCase());
}
