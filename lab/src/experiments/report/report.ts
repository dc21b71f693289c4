/**
 * A report as plain data: all that its forms (page, Markdown, tables, figures) say is in here and nowhere else, and each
 * point names the trials it is made of. report.json is this; lab/schema/report.schema.json describes it.
 */
import { z } from "zod";

const level = z.union([z.string(), z.number()]);
const levels = z.record(z.string(), level).describe("Level of each factor, by the factor's name.");
const interval = z
  .object({ low: z.number(), high: z.number() })
  .describe("Bootstrap interval of the median, 95 %; less sure with fewer than six values.");

const value = z.object({
  trial: z.string(),
  repetition: z.int(),
  value: z.number().describe("In the unit of the quantity."),
  outlier: z.boolean().describe("Stands apart from its cell; it counts all the same."),
});

const figuresOfCell = z.object({
  quantity: z.string(),
  n: z.int(),
  median: z.number(),
  interval: interval.optional(),
  coverage: z.number().describe("How surely the interval can hold the true median at best."),
  values: z.array(value),
  toKernel: z
    .object({ cell: z.string(), ratio: z.number(), low: z.number(), high: z.number() })
    .optional()
    .describe("Our median by that of the kernel's cell under the same conditions."),
});

const cell = z.object({
  cell: z.string(),
  label: z.string(),
  levels,
  telemetry: z.boolean(),
  planned: z.int(),
  measured: z.int(),
  figures: z.array(figuresOfCell),
});

const point = z.object({
  cell: z.string(),
  series: z.string(),
  x: level,
  facet: z.string().optional(),
  median: z.number(),
  interval: interval.optional(),
  values: z.array(value),
});

const figure = z.object({
  id: z.string().describe("Name of its files below figures/."),
  title: z.string(),
  quantity: z.string(),
  mark: z.enum(["line", "bar"]),
  x: z.object({
    ...{ factor: z.string(), title: z.string() },
    levels: z.array(level).describe("In their order, as the points have them."),
    scale: z.enum(["linear", "log", "names"]).describe("names: each level has the same room."),
  }),
  y: z.object({ title: z.string(), log: z.boolean() }),
  series: z.object({ title: z.string(), names: z.array(z.string()) }),
  facet: z.object({ title: z.string(), names: z.array(z.string()) }).optional(),
  points: z.array(point),
  alternative: z.string().describe("The figure in words."),
  absent: z
    .array(z.object({ label: z.string(), reason: z.string() }))
    .describe("Cells that it should show and cannot."),
});

const verdict = z.enum(["agrees", "differs", "cannot-tell"]);

const comparison = z.object({
  what: z.string(),
  wanted: z.string(),
  detail: z.string().describe("What was found, with its figures."),
  holds: z.string(),
});

const expectation = z.object({
  name: z.string(),
  says: z.string(),
  verdict,
  reason: z.string(),
  comparisons: z.array(comparison),
});

const published = z.object({
  source: z.string(),
  where: z.string(),
  setup: z.string(),
  quantity: z.string(),
  unit: z.string(),
  verdict,
  reason: z.string(),
  points: z.array(
    z.object({
      levels,
      label: z.string(),
      published: z.number().describe("In the published unit."),
      publishedShare: z.number().describe("Of the largest published point."),
      ours: z.number().optional().describe("Median of our cell, in the unit of the quantity."),
      oursShare: z.number().optional().describe("Of our largest point."),
    }),
  ),
  comparisons: z.array(comparison),
});

export const reportSchema = z
  .object({
    schemaVersion: z.literal(1),
    run: z.string(),
    createdAt: z.string().describe("When the run began, ISO 8601."),
    experiment: z.string(),
    title: z.string(),
    question: z.string(),
    machines: z.enum(["vm", "process"]),
    stamp: z.array(z.string()).describe("What cannot be compared, and why; empty: a fit host."),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
    trials: z.object({
      planned: z.int(),
      measured: z.int(),
      failed: z.int(),
      unavailable: z.int(),
      missing: z.int().describe("Planned and not run yet."),
    }),
    expectations: z.array(expectation),
    quantities: z.array(
      z.object({
        name: z.string(),
        title: z.string(),
        unit: z.string(),
        definition: z.string(),
        place: z.string(),
        formula: z.string(),
        better: z.enum(["higher", "lower", "neither"]),
      }),
    ),
    factors: z.array(z.object({ name: z.string(), title: z.string(), unit: z.string(), levels: z.array(level) })),
    fixed: levels,
    repetitions: z.int(),
    warmupS: z.number(),
    durationS: z.number(),
    seed: z.number(),
    figures: z.array(figure),
    cells: z.array(cell),
    problems: z.array(
      z.object({
        trial: z.string(),
        cell: z.string(),
        label: z.string(),
        repetition: z.int(),
        status: z.enum(["failed", "unavailable"]),
        reasons: z.array(z.string()),
      }),
    ),
    published: z.array(published),
    host: z.array(z.object({ name: z.string(), value: z.string() })),
    versions: z.array(z.object({ name: z.string(), value: z.string() })),
    commands: z.array(z.object({ says: z.string(), command: z.string() })).describe("How to run it again."),
  })
  .describe("report.json of a run's folder, as `vnflab results report RUN` writes it.");

export type Report = z.output<typeof reportSchema>;
export type ReportCell = Report["cells"][number];
export type ReportFigure = Report["figures"][number];
export type ReportPoint = ReportFigure["points"][number];
export type ReportPublished = Report["published"][number];
export type Verdict = Report["expectations"][number]["verdict"];

/** For other programs that read report.json. */
export function reportJsonSchema(): object {
  return z.toJSONSchema(reportSchema, { target: "draft-2020-12" });
}
