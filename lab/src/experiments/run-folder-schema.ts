/**
 * What a run's folder may hold. The types in lab/src/model/experiment are the truth, the compiler compares; what is read
 * from a folder is somebody else's until it has passed here.
 */
import { z } from "zod";
import { COMPARABLE, type Conditions, type Experiment, type Levels } from "../model/experiment/experiment.js";
import { FACTOR_NAMES } from "../model/experiment/factors.js";
import { QUANTITIES, type QuantityName } from "../model/experiment/quantities.js";
import type { Manifest, TrialResult } from "../model/experiment/run-folder.js";
import type { PlanOptions, Setup, Trial } from "../model/experiment/trial.js";
import { WORKLOADS } from "../model/experiment/workload.js";
import { SPREADS } from "../model/topology.js";

/** Longest text that anything but a domain's XML has a use for. */
const text = z.string().max(20_000);
const longText = z.string().max(1_000_000);
const name = z.string().min(1).max(200);
const id = z.string().regex(/^[0-9a-f]{16}$/, "must be 16 hex digits");
const moment = z.iso.datetime();
const count = z.int().min(0).max(1_000_000_000);
const list = <T extends z.ZodType>(item: T, most = 1000) => z.array(item).max(most);
const texts = z.record(name, text);

const level = z.union([text, z.number()]);
const levels = z.partialRecord(z.enum(FACTOR_NAMES), level) as unknown as z.ZodType<Levels>;
const quantity = z.enum(Object.keys(QUANTITIES) as [QuantityName, ...QuantityName[]]);
const comparable = z.enum(COMPARABLE);
const machines = z.enum(["vm", "process"]);

const conditions: z.ZodType<Conditions> = z.object({
  stack: z.enum(["libmtcp", "kernel"]),
  distribution: z.enum(["direct", "shared", "1kb", "2kb", "none"]),
  workers: count,
  queues: count,
  spread: z.enum(SPREADS),
  offload: z.enum(["auto", "csum", "off"]),
  burst: count,
  ring: count,
  cc: z.enum(["reno", "cubic"]),
  workload: z.enum(WORKLOADS),
  payload: count,
  connections: count,
  load: z.number().min(0),
  loss: z.number().min(0).max(1),
  delay: z.number().min(0),
});

const setup: z.ZodType<Setup> = z.object({ machines, cpus: count, queues: count, spread: z.enum(SPREADS) });

const trial: z.ZodType<Trial> = z.object({
  ...{ id, cell: id, levels, conditions, setup },
  repetition: count,
  telemetry: z.boolean(),
  peak: id.exactOptional(),
});

const options: z.ZodType<PlanOptions> = z.object({
  quick: z.boolean(),
  only: list(z.object({ factor: name, levels: list(text) })),
  repeat: count.exactOptional(),
  seed: z.number().exactOptional(),
  machines: machines.exactOptional(),
  shard: z.object({ index: count, count }).exactOptional(),
});

const expectationShape = { name, says: text, quantity, where: levels, needs: list(comparable) };
const expectation = z.discriminatedUnion("kind", [
  z.object({
    ...expectationShape,
    kind: z.literal("ratio"),
    ...{ of: levels, to: levels },
    ...{ least: z.number().exactOptional(), most: z.number().exactOptional() },
  }),
  z.object({
    ...expectationShape,
    kind: z.literal("order"),
    ...{ by: z.enum(FACTOR_NAMES), order: list(level), tolerance: z.number() },
  }),
  z.object({
    ...expectationShape,
    kind: z.literal("trend"),
    ...{ along: z.enum(FACTOR_NAMES), direction: z.enum(["grows", "falls", "flat"]), tolerance: z.number() },
  }),
  z.object({
    ...expectationShape,
    kind: z.literal("saturation"),
    ...{ along: z.enum(FACTOR_NAMES), from: level, tolerance: z.number() },
  }),
]);

const levelLists = z.partialRecord(z.enum(FACTOR_NAMES), list(level));

const experiment = z.object({
  ...{ name, title: text, question: text, machines },
  factors: list(z.object({ name: z.enum(FACTOR_NAMES), levels: list(level) })),
  fixed: levels,
  constraints: list(
    z.object({
      when: levelLists,
      only: z.partialRecord(z.enum(FACTOR_NAMES), z.union([list(level), z.literal("=workers")])),
      because: text,
    }),
  ),
  repetitions: count,
  warmupS: z.number(),
  durationS: z.number(),
  seed: z.number(),
  quantities: list(quantity),
  telemetry: z.boolean(),
  figures: list(
    z.object({
      ...{ title: text, quantity, x: z.enum(FACTOR_NAMES), series: list(z.enum(FACTOR_NAMES)), where: levels },
      facet: z.enum(FACTOR_NAMES).exactOptional(),
      mark: z.enum(["line", "bar"]),
      log: list(z.enum(["x", "y"])).exactOptional(),
    }),
  ),
  expected: list(expectation),
  published: list(
    z.object({
      ...{ source: text, where: text, setup: text, quantity, unit: text, tolerance: z.number() },
      points: list(z.object({ levels, value: z.number() }), 10_000),
    }),
  ),
  quick: z.object({
    factors: levelLists,
    repetitions: count.exactOptional(),
    ...{ warmupS: z.number().exactOptional(), durationS: z.number().exactOptional() },
  }),
}) as unknown as z.ZodType<Experiment>;

const fitness = z.object({
  checks: list(z.object({ name, ok: z.boolean(), detail: text, forbids: list(comparable) })),
  stamp: list(text),
  forbids: list(comparable),
});

const setupRecord = z.object({
  setup,
  machines: list(
    z.object({
      name,
      domainXml: longText.exactOptional(),
      commandLine: longText.exactOptional(),
      stackConf: longText,
      images: list(z.object({ path: text, sha256: z.string().regex(/^[0-9a-f]{64}$/) })).exactOptional(),
    }),
  ),
});

export const manifestSchema: z.ZodType<Manifest> = z.object({
  schemaVersion: z.literal(1, "is of another version of vnflab"),
  run: name,
  createdAt: moment,
  experiment,
  options,
  trials: list(trial, 100_000),
  revision: z.object({ commit: text, changed: z.boolean() }),
  versions: texts,
  host: z.object({
    ...{ cpu: text, cores: count, memoryGb: z.number(), kernel: text, hypervisor: z.boolean() },
    microcode: text.exactOptional(),
    governor: text.exactOptional(),
    mitigations: texts,
  }),
  fitness,
  setups: list(setupRecord),
  parts: list(name).exactOptional(),
});

export const trialResultSchema: z.ZodType<TrialResult> = z.object({
  ...{ trial: id, cell: id, levels, repetition: count, telemetry: z.boolean() },
  status: z.enum(["measured", "failed", "unavailable"]),
  startedAt: moment,
  seconds: z.number().min(0),
  values: z.partialRecord(quantity, z.number()) as unknown as z.ZodType<TrialResult["values"]>,
  problems: list(text),
  effective: z.record(name, z.union([text, z.number(), z.boolean()])),
  host: z.object({ stealPercent: z.number(), busyPercent: z.number() }),
});
