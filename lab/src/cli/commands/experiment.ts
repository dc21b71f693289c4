import type { Command } from "commander";
import { formatAge } from "../../engine/duration.js";
import { listExperiments, loadExperiment } from "../../experiments/load-experiment.js";
import { estimateSeconds } from "../../experiments/plan/estimate.js";
import { type Plan, planTrials, setupsOfTrials } from "../../experiments/plan/plan-trials.js";
import type { Experiment, FactorName, Level } from "../../model/experiment/experiment.js";
import { FACTORS, formatLevel } from "../../model/experiment/factors.js";
import { QUANTITIES } from "../../model/experiment/quantities.js";
import { formatTable } from "../../suites/report.js";
import { type CommonOptions, JSON_OPTION, type RegisterCommand, show, withEngine } from "../command.js";
import { examples } from "../help.js";
import type { Io } from "../io.js";
import { addPlanOptions, type PlanFlags, planOptionsOf } from "../plan-options.js";
import { registerExperimentResume } from "./experiment-resume.js";
import { registerExperimentRun } from "./experiment-run.js";

export const registerExperiment: RegisterCommand = (program, io, finish) => {
  const group = program
    .command("experiment")
    .description("experiments: what they ask, what they would run, and running them");
  examples(group, ["vnflab experiment list", "vnflab experiment plan throughput-vs-cores --quick"]);
  registerList(group, io);
  registerShow(group, io);
  registerPlan(group, io);
  registerExperimentRun(group, io, finish);
  registerExperimentResume(group, io, finish);
};

function registerList(group: Command, io: Io): void {
  const list = group
    .command("list")
    .description("the experiments that come with vnflab, with the time that they take")
    .option(...JSON_OPTION)
    .action(async (options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const names = await listExperiments(engine);
        const experiments = await Promise.all(names.map((name) => loadExperiment(engine, name)));
        const summaries = experiments.map(summaryOf);
        const rows = summaries.map(({ name, seconds, quickSeconds, question }) => [
          ...[name, formatAge(seconds * 1000), formatAge(quickSeconds * 1000), question],
        ]);
        const table = formatTable([["experiment", "takes", "quickly", "asks"], ...rows]);
        show(io, options, { schemaVersion: 1, experiments: summaries }, `${table.join("\n")}\n`);
      });
    });
  examples(list, ["vnflab experiment list"]);
}

function summaryOf(experiment: Experiment) {
  const { name, title, question, machines } = experiment;
  const seconds = (quick: boolean) => {
    const plan = planTrials(experiment, { quick, only: [] });
    return estimateSeconds(plan.trials, plan.experiment);
  };
  return { name, title, question, machines, seconds: seconds(false), quickSeconds: seconds(true) };
}

function registerShow(group: Command, io: Io): void {
  const command = group
    .command("show")
    .description("what an experiment asks, varies, measures and expects")
    .argument("<experiment>", "name of an experiment, or its file")
    .option(...JSON_OPTION)
    .action(async (name: string, options: CommonOptions) => {
      await withEngine(io, options, async (engine) => {
        const experiment = await loadExperiment(engine, name);
        show(io, options, { schemaVersion: 1, experiment }, formatExperiment(experiment));
      });
    });
  examples(command, ["vnflab experiment show loss", "vnflab experiment show ./my-own.yaml --json"]);
}

function formatExperiment(experiment: Experiment): string {
  const { title, question, factors, fixed, quantities, expected, published } = experiment;
  const factorRows = factors.map(({ name, levels }) => [
    ...[`  ${name}`, levels.map((level) => formatLevel(name, level)).join(", "), FACTORS[name].meaning],
  ]);
  const fixedRows = (Object.entries(fixed) as [FactorName, Level][]).map(([name, level]) => [
    ...[`  ${name}`, formatLevel(name, level)],
  ]);
  return [
    title,
    question,
    `machines: ${experiment.machines}; each combination ${experiment.repetitions} times, ${experiment.durationS} s after ${experiment.warmupS} s`,
    "varies:",
    ...formatTable(factorRows),
    ...(fixedRows.length > 0 ? ["fixed:", ...formatTable(fixedRows)] : []),
    "measures:",
    ...formatTable(quantities.map((name) => [`  ${name}`, QUANTITIES[name].unit, QUANTITIES[name].definition])),
    ...(expected.length > 0 ? ["expects:", ...expected.map(({ says }) => `  ${says}`)] : []),
    ...(published.length > 0 ? ["compares with:", ...published.map((it) => `  ${it.source}; ${it.where}`)] : []),
    "",
  ].join("\n");
}

function registerPlan(group: Command, io: Io): void {
  const command = group
    .command("plan")
    .description("what a run would measure: trials, setups, what is left out and why, how long it takes")
    .argument("<experiment>", "name of an experiment, or its file")
    .option(...JSON_OPTION);
  addPlanOptions(command).action(async (name: string, options: CommonOptions & PlanFlags) => {
    await withEngine(io, options, async (engine) => {
      const experiment = await loadExperiment(engine, name);
      const planOptions = planOptionsOf(options);
      const plan = planTrials(experiment, planOptions);
      const seconds = estimateSeconds(plan.trials, plan.experiment);
      const data = { schemaVersion: 1, options: planOptions, ...plan, setups: setupsOfTrials(plan.trials), seconds };
      show(io, options, data, formatPlan(plan, seconds));
    });
  });
  examples(command, [
    "vnflab experiment plan throughput-vs-cores",
    "vnflab experiment plan throughput-vs-cores --quick --set machines=process",
    "vnflab experiment plan loss --only stack=libmtcp --only loss=0%,1% --json",
  ]);
}

function formatPlan({ experiment, trials, leftOut }: Plan, seconds: number): string {
  const setups = setupsOfTrials(trials);
  const counted = trials.filter(({ telemetry }) => telemetry).length;
  const cells = new Set(trials.filter(({ telemetry }) => !telemetry).map(({ cell }) => cell)).size;
  const rows = setups.map((setup) => [
    ...[setup.machines, String(setup.cpus), String(setup.queues)],
    String(trials.filter((trial) => JSON.stringify(trial.setup) === JSON.stringify(setup)).length),
  ]);
  return [
    `${experiment.name}: ${trials.length} trials of ${cells} combinations, seed ${experiment.seed}` +
      (counted > 0 ? `; in ${counted} of them counters are read` : ""),
    `each ${experiment.durationS} s after ${experiment.warmupS} s; in all about ${formatAge(seconds * 1000)}`,
    "",
    ...formatTable([["machines", "cpus", "queues", "trials"], ...rows]),
    ...(leftOut.length > 0 ? ["", "left out:"] : []),
    ...leftOut.map(({ because, combinations }) => `  ${combinations} combinations: ${because}`),
    "",
  ].join("\n");
}
