/** The text of an experiment's file -> Experiment. All problems are reported together, each with its place. */
import { VnflabError } from "../error.js";
import type { SchemaNode } from "../lab-schema-tree.js";
import { LabSource } from "../lab-source.js";
import { explainIssue, type Located, type Problem, problemLines } from "../problem.js";
import { checkExperiment } from "./check-experiment.js";
import type { Expectation, Experiment, FactorName, Figure, Level, LevelLists } from "./experiment.js";
import { FACTORS, parseLevel } from "./factors.js";
import { type ExperimentFile, experimentJsonSchema, experimentSchema } from "./schema.js";

const MOST_CHARACTERS = 256 * 1024;

let root: SchemaNode | undefined;

/** `file`: for messages. Throws VNF_EXPERIMENT_INVALID. */
export function parseExperiment(text: string, file: string): Experiment {
  if (text.length > MOST_CHARACTERS) {
    throw refused([
      { file, path: [], message: `an experiment has at most ${MOST_CHARACTERS} characters, not ${text.length}` },
    ]);
  }
  const source = LabSource.parse(file, text, (at, message) => refused([{ file, at, path: [], message }]));
  const parsed = experimentSchema.safeParse(source.value);
  if (!parsed.success) {
    root ??= experimentJsonSchema() as SchemaNode;
    throw located(
      source,
      parsed.error.issues.flatMap((issue) => explainIssue(issue, root)),
    );
  }
  const experiment = normalise(parsed.data, source);
  const problems = checkExperiment(experiment);
  if (problems.length > 0) throw located(source, problems);
  return experiment;
}

function located(source: LabSource, problems: readonly Problem[]): VnflabError {
  return refused(problems.map((problem) => ({ ...problem, file: source.file, at: source.locate(problem.path).at })));
}

function refused(problems: readonly Located[]): VnflabError {
  return new VnflabError("VNF_EXPERIMENT_INVALID", problemLines(problems));
}

function normalise(file: ExperimentFile, source: LabSource): Experiment {
  const { factors, warmup, duration, figures, expected, quick, ...rest } = file;
  return {
    ...rest,
    factors: factorsOf(factors, source),
    warmupS: warmup,
    durationS: duration,
    figures: figures.map(figureOf),
    expected: expected.map(expectationOf),
    quick: {
      factors: quick.factors,
      ...(quick.repetitions === undefined ? {} : { repetitions: quick.repetitions }),
      ...(quick.warmup === undefined ? {} : { warmupS: quick.warmup }),
      ...(quick.duration === undefined ? {} : { durationS: quick.duration }),
    },
  };
}

/** In the order of the file, which the schema does not keep. */
function factorsOf(lists: LevelLists, source: LabSource): Experiment["factors"] {
  const place = (name: string) => {
    const { line, col } = source.locate(["factors", name]).at;
    return [line, col] as const;
  };
  return Object.entries(lists)
    .map(([name, levels]) => ({ name: name as FactorName, levels, at: place(name) }))
    .sort((a, b) => a.at[0] - b.at[0] || a.at[1] - b.at[1])
    .map(({ name, levels }) => ({ name, levels }));
}

function figureOf({ facet, log, ...rest }: ExperimentFile["figures"][number]): Figure {
  return { ...rest, ...(facet === undefined ? {} : { facet }), ...(log === undefined ? {} : { log }) };
}

function expectationOf(expectation: ExperimentFile["expected"][number]): Expectation {
  const { ratio, order, trend, saturation, ...base } = expectation;
  if (order) {
    const levels = order.order.map((level) => inItsUnit(order.by, level));
    return { ...base, kind: "order", ...order, order: levels };
  }
  if (trend) return { ...base, kind: "trend", ...trend };
  if (saturation) {
    return { ...base, kind: "saturation", ...saturation, from: inItsUnit(saturation.along, saturation.from) };
  }
  if (!ratio) throw new VnflabError("VNF_INTERNAL", `expectation ${base.name} is of no kind`);
  const { of, to, least, most } = ratio;
  const bounds = { ...(least === undefined ? {} : { least }), ...(most === undefined ? {} : { most }) };
  return { ...base, kind: "ratio", of, to, ...bounds };
}

/** Where the schema does not know which factor's level it is; what is none is refused with the others. */
function inItsUnit(name: FactorName, level: Level): Level {
  return typeof level === "string" ? (parseLevel(FACTORS[name], level) ?? level) : level;
}
