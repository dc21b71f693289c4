/**
 * The file of an experiment. This schema is the one truth: checks, lab/schema/experiment.schema.json and the suggestions
 * for misspelt keys come from it, and the levels of factors in it from their table.
 */
import { z } from "zod";
import { parsePercent, parseTimeUs } from "../units.js";
import { COMPARABLE, type FactorName, type Level, type LevelLists, type Levels } from "./experiment.js";
import { FACTOR_NAMES, FACTORS, type Factor, levelsInWords, parseLevel } from "./factors.js";
import { QUANTITIES, type QuantityName } from "./quantities.js";

const MOST_LEVELS = 64;

const sentence = (what: string) =>
  z.string().min(1, "a text is not empty").max(600, "a text has at most 600 characters").describe(what);

const NAME = "a name has 1 to 40 of a-z, 0-9 and -, and begins with a letter";

/** A text in the units of lab files -> a number; the JSON Schema tells of the text. */
const inUnit = (parse: (text: string) => number | undefined, form: string) =>
  z
    .string({ error: ({ input }) => (input === undefined ? "is required" : form) })
    .refine((text) => parse(text) !== undefined, form)
    .transform((text) => parse(text) ?? 0);

const share = inUnit(parsePercent, "a share is a percentage from 0% to 100%, such as 5%");

const secondsOf = (text: string): number | undefined => {
  const us = parseTimeUs(text);
  return us !== undefined && us <= 3_600_000_000 ? us / 1_000_000 : undefined;
};
const seconds = inUnit(secondsOf, "a time is a number with us, ms or s, such as 5s, an hour at most");

function levelSchema(factor: Factor): z.ZodType<Level> {
  const { levels } = factor;
  switch (levels.kind) {
    case "choice":
      return z.enum(levels.of as readonly [string, ...string[]]);
    case "whole":
      return z.int().min(levels.least).max(levels.most);
    default:
      return inUnit((text) => parseLevel(factor, text) as number | undefined, `must be ${levelsInWords(factor)}`);
  }
}

/** A map with a key for each factor, none of them required. */
function perFactor<T>(value: (schema: z.ZodType<Level>) => z.ZodType<T>) {
  const shape = Object.fromEntries(
    FACTOR_NAMES.map((name) => [name, value(levelSchema(FACTORS[name])).describe(FACTORS[name].meaning).optional()]),
  ) as Record<FactorName, z.ZodOptional<z.ZodType<T>>>;
  // Keys that are not there stay so.
  return z.strictObject(shape) as unknown as z.ZodType<Readonly<Partial<Record<FactorName, T>>>>;
}

const levelList = (level: z.ZodType<Level>) =>
  z
    .array(level)
    .min(1, "a factor has at least one level")
    .max(MOST_LEVELS, `a factor has at most ${MOST_LEVELS} levels`)
    .refine((levels) => new Set(levels).size === levels.length, "a level stands there twice");

const levels: z.ZodType<Levels> = perFactor((level) => level);
const levelLists: z.ZodType<LevelLists> = perFactor<readonly Level[]>(levelList);
const onlyLists = perFactor<readonly Level[] | "=workers">((level) =>
  z.union([z.literal("=workers"), levelList(level)], { error: "must be a list of levels, or =workers" }),
);

const factorName = z.enum(FACTOR_NAMES as readonly [FactorName, ...FactorName[]]);
const quantity = z.enum(Object.keys(QUANTITIES) as [QuantityName, ...QuantityName[]]);
const anyLevel = z.union([z.string(), z.number()], { error: "must be a level" });
const repetitions = z.int().min(1).max(1000);

const constraint = z.strictObject({
  when: levelLists.describe("It speaks of combinations with one of these levels each."),
  only: onlyLists.describe("What they may have; =workers: the same number as workers."),
  because: sentence("Why, one sentence."),
});

const expectation = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z]([a-z0-9-]{0,58}[a-z0-9])?$/, "a name has a-z, 0-9 and -")
      .describe("Short."),
    says: sentence("What should be seen, one sentence."),
    quantity,
    where: levels.default({}).describe("Cells that it speaks of."),
    needs: z
      .array(z.enum(COMPARABLE))
      .min(1, "names what the host must be fit for")
      .describe("What the host must be fit for, so that it can be told."),
    ratio: z
      .strictObject({
        of: levels.describe("The cells that are divided."),
        to: levels.describe("By which."),
        least: z.number().positive().optional(),
        most: z.number().positive().optional(),
      })
      .refine(({ least, most }) => least !== undefined || most !== undefined, "has least, most or both")
      .refine(({ least = 0, most = Number.POSITIVE_INFINITY }) => least <= most, "least is more than most")
      .optional(),
    order: z
      .strictObject({
        by: factorName,
        order: z.array(anyLevel).min(2, "an order has two levels at least"),
        tolerance: share,
      })
      .optional()
      .describe("The levels of a factor, largest figure first."),
    trend: z
      .strictObject({ along: factorName, direction: z.enum(["grows", "falls", "flat"]), tolerance: share })
      .optional()
      .describe("Along a factor each figure is at least (or at most) the one before."),
    saturation: z
      .strictObject({ along: factorName, from: anyLevel, tolerance: share })
      .optional()
      .describe("From this level on nothing is gained."),
  })
  .refine(
    ({ ratio, order, trend, saturation }) =>
      [ratio, order, trend, saturation].filter((kind) => kind !== undefined).length === 1,
    "an expectation is one of ratio, order, trend and saturation",
  );

const figure = z.strictObject({
  title: sentence("Of the figure."),
  quantity,
  x: factorName.describe("Along the axis."),
  series: z.array(factorName).default([]).describe("A line or bar group for each level, or combination of levels."),
  facet: factorName.optional().describe("A small figure for each level."),
  where: levels.default({}),
  mark: z.enum(["line", "bar"]).default("line"),
  log: z
    .array(z.enum(["x", "y"]))
    .optional()
    .describe("Axes that are logarithmic."),
});

const published = z.strictObject({
  source: sentence("Who, what, when."),
  where: sentence("Table, figure, page or address."),
  setup: sentence("On what it was measured."),
  quantity,
  unit: sentence("As published."),
  points: z.array(z.strictObject({ levels, value: z.number().positive() })).min(1, "has one point at least"),
  tolerance: share.describe("Part by which a ratio of two of its points may differ from ours."),
});

const quick = z
  .strictObject({
    factors: levelLists.default({}).describe("Some of the levels."),
    repetitions: repetitions.optional(),
    warmup: seconds.optional(),
    duration: seconds.optional(),
  })
  .describe("What is another thing in a run that is to be over soon.");

export const experimentSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, NAME)
      .describe("Of the experiment, and of its file."),
    title: sentence("A heading."),
    question: sentence("What it asks, one sentence."),
    machines: z.enum(["vm", "process"]).default("vm").describe("On what it runs unless the command line says else."),
    factors: levelLists.describe("What varies: factors and their levels; all combinations are measured."),
    fixed: levels.default({}).describe("What does not, where it is not the usual."),
    constraints: z.array(constraint).max(64).default([]).describe("Combinations that are left out."),
    repetitions: repetitions.default(5).describe("Each combination is measured so often."),
    warmup: seconds.default(2).describe("Before what counts."),
    duration: seconds.default(10).describe("What counts."),
    seed: z.int().min(0).max(0xffffffff).default(1).describe("The order of the trials comes from it."),
    quantities: z.array(quantity).min(1, "an experiment measures something").describe("What is measured."),
    telemetry: z
      .boolean()
      .default(false)
      .describe("As many more trials of each combination, in which the stack's own counters are read."),
    figures: z.array(figure).max(64).default([]),
    expected: z.array(expectation).max(256).default([]).describe("What should be seen, so that a program can judge."),
    published: z.array(published).max(64).default([]).describe("Figures of others, compared in shape only."),
    quick: quick.prefault({}),
  })
  .meta({ title: "vnflab experiment" });

export type ExperimentFile = z.output<typeof experimentSchema>;

/** The JSON Schema of what a person may write. */
export function experimentJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(experimentSchema, { io: "input", target: "draft-2020-12" });
}
