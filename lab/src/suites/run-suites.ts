/** Runs cases over the pairs of a lab's machines, one after the other, once or again and again. */
import { join } from "node:path";
import { checkEffective } from "../engine/check-effective.js";
import type { Lab, LabMachine } from "../engine/lab.js";
import type { Amounts } from "./case.js";
import { chooseCases } from "./choose-cases.js";
import type { CaseReport, CaseStatus, SuiteReport } from "./report.js";
import { runCase } from "./run-case.js";

export interface SuiteOptions {
  readonly amounts: Amounts;
  /** Names of suites or ids of cases; absent: all that need not be asked for. */
  readonly only?: readonly string[];
  /** Where report.json and artefacts go; absent: below the state folder. */
  readonly folder?: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** For all that the cases leave to chance; default 1. */
  readonly seed?: number;
  /** How often all is run; default 1. */
  readonly rounds?: number;
  /** End at the first case that fails. */
  readonly untilFail?: boolean;
  /** Called after a case that failed, with the lab as it left it. */
  readonly onFailure?: (report: CaseReport) => Promise<void>;
}

export const DEFAULT_SEED = 1;

export async function runSuites(running: Lab, options: SuiteOptions): Promise<SuiteReport> {
  const lab = running.patient(options.deadlineMs);
  const { host, layout } = lab.context;
  await checkEffective(lab);
  const startedAt = host.clock.wallTime().toISOString();
  const stamp = startedAt.replaceAll(":", "").replace(/\..*/, "");
  const folder = options.folder ?? join(layout.stateRoot, "results", `${lab.record.lab}-${stamp}`);
  const seed = options.seed ?? DEFAULT_SEED;
  const cases: CaseReport[] = [];
  for (let round = 1; round <= (options.rounds ?? 1); round++) {
    const failed = await runRound(lab, { ...options, folder, seed }, round, cases);
    if (failed && options.untilFail) break;
  }
  const count = (status: CaseStatus) => cases.filter((one) => one.status === status).length;
  const report: SuiteReport = {
    schemaVersion: 1,
    lab: lab.record.lab,
    startedAt,
    oversubscribed: lab.record.deployment.oversubscribed,
    seed,
    rounds: cases.at(-1)?.round ?? 0,
    folder,
    cases,
    ...{ passed: count("passed"), failed: count("failed"), skipped: count("skipped"), blocked: count("blocked") },
  };
  await host.files.write(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** Adds to the reports; true when a case has failed. */
async function runRound(
  lab: Lab,
  options: SuiteOptions & { readonly folder: string; readonly seed: number },
  round: number,
  reports: CaseReport[],
): Promise<boolean> {
  const all = pairs(lab.machines);
  const unusable = new Map<string, string>();
  let anyFailed = false;
  for (const testCase of chooseCases(options.only)) {
    for (const pair of testCase.once ? all.slice(0, 1) : all) {
      options.signal.throwIfAborted();
      const key = pair.map(({ name }) => name).join(" ");
      const report = await runCase(lab, testCase, pair, round, unusable.get(key), options);
      reports.push(report);
      if (report.status !== "failed") continue;
      anyFailed = true;
      if (testCase.essential) unusable.set(key, `${testCase.id} has failed`);
      await options.onFailure?.(report);
      if (options.untilFail) return true;
    }
  }
  return anyFailed;
}

/**
 * Each machine with the next one, both ways. What forwards is on the way and no end. A lone machine is paired with
 * itself, for the report to say so.
 */
function pairs(machines: readonly LabMachine[]): [LabMachine, LabMachine][] {
  const ends = machines.filter(({ allocated }) => !allocated.forwarding);
  const chosen = ends.length > 1 ? ends : machines;
  const [only] = chosen;
  if (only && chosen.length === 1) return [[only, only]];
  return chosen.slice(1).flatMap((to, index): [LabMachine, LabMachine][] => {
    const from = chosen[index] as LabMachine;
    return [
      [from, to],
      [to, from],
    ];
  });
}
