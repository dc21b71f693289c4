/**
 * Runs for tests, without any lab: for each trial of a plan plausible figures, noisy as those of a shared host are
 * (lognormal, now and then an outlier, a slow drift), the same for the same seed.
 */
import { probit } from "simple-statistics";
import type { Conditions, Experiment } from "../../model/experiment/experiment.js";
import { QUANTITIES, type QuantityName } from "../../model/experiment/quantities.js";
import type { Fitness, Manifest, Run, TrialResult } from "../../model/experiment/run-folder.js";
import type { Trial } from "../../model/experiment/trial.js";
import { type Random, randomOf } from "../../model/random.js";
import { makeManifest } from "../fake-run.js";
import { planTrials } from "../plan/plan-trials.js";

export interface Noise {
  /** Standard deviation of the logarithm. */
  readonly sigma: number;
  /** Part of the trials in which something else was at work. */
  readonly outliers: number;
  /** What is left of the speed in these: 0.6. */
  readonly outlierFactor: number;
  /** Largest part by which a slow wave moves the speed up and down in the course of the run. */
  readonly drift: number;
}

export const CALM: Noise = { sigma: 0.02, outliers: 0, outlierFactor: 1, drift: 0 };
export const SHARED_HOST: Noise = { sigma: 0.04, outliers: 0.03, outlierFactor: 0.6, drift: 0.02 };

export interface MakeRun {
  readonly experiment: Experiment;
  readonly trials: readonly Trial[];
  readonly seed: number;
  readonly noise?: Noise;
  /** Speed of a cell without noise, 1 being usual; slower is less, for latencies too. */
  readonly speed?: (conditions: Conditions) => number;
  /** A factor on it by how much of the run is behind, 0 to 1. */
  readonly pace?: (behind: number) => number;
  /** Another end of a trial than being measured; undefined: measured. */
  readonly ends?: (trial: Trial) => Partial<TrialResult> | undefined;
  readonly fitness?: Fitness;
  readonly name?: string;
}

const START = Date.parse("2026-01-05T10:00:00.000Z");
const TRIAL_SECONDS = 4;

export function makeRun(wish: MakeRun): Run {
  const random = randomOf(wish.seed, "run");
  const noise = wish.noise ?? SHARED_HOST;
  const phase = random.part() * 2 * Math.PI;
  const results = wish.trials.map((trial, i): TrialResult => {
    const behind = i / wish.trials.length;
    const wave = (1 + noise.drift * Math.sin(phase + 2 * Math.PI * behind)) * (wish.pace?.(behind) ?? 1);
    const speed = (wish.speed?.(trial.conditions) ?? usualSpeed(trial.conditions)) * wave * jitter(noise, random);
    return {
      trial: trial.id,
      cell: trial.cell,
      levels: trial.levels,
      repetition: trial.repetition,
      telemetry: trial.telemetry,
      status: "measured",
      startedAt: new Date(START + i * TRIAL_SECONDS * 1000).toISOString(),
      seconds: TRIAL_SECONDS,
      values: valuesOf(wish.experiment.quantities, trial, speed),
      problems: [],
      effective: effectiveOf(trial.conditions),
      host: { stealPercent: 0, busyPercent: 60 + 10 * random.part() },
      ...wish.ends?.(trial),
    };
  });
  return { folder: `/results/${wish.name ?? "made"}`, manifest: manifestOf(wish), results };
}

function manifestOf({ experiment, trials, name = "made", fitness }: MakeRun): Manifest {
  return makeManifest(trials, {
    run: name,
    createdAt: new Date(START).toISOString(),
    experiment,
    ...(fitness ? { fitness } : {}),
  });
}

function effectiveOf({ stack, distribution, workers, queues, offload, cc }: Conditions): TrialResult["effective"] {
  return { stack, distribution, workers, queues, offload, cc };
}

/** A factor on the speed. */
function jitter(noise: Noise, random: Random): number {
  const unfortunate = random.part() < noise.outliers ? noise.outlierFactor : 1;
  return unfortunate * Math.exp(noise.sigma * normal(random));
}

const normal = (random: Random) => probit(Math.max(random.part(), 1e-9));

/** More workers help, less and less; the kernel is slower; loss hurts. */
function usualSpeed({ stack, workers, loss }: Conditions): number {
  return (stack === "kernel" ? 0.6 : 1) * workers ** 0.7 * (1 - Math.min(0.9, 10 * loss));
}

/** At speed 1. */
const USUAL: Readonly<Record<string, number>> = {
  requests_per_second: 80_000,
  connections_per_second: 9000,
  goodput: 4,
  goodput_gibit: 3.7,
  datagrams_per_second: 300_000,
  latency_p50: 60,
  latency_p99: 200,
  latency_p999: 700,
};

function valuesOf(wanted: readonly QuantityName[], trial: Trial, speed: number): TrialResult["values"] {
  const had = wanted.filter((name) => {
    const quantity = QUANTITIES[name];
    const workloads: readonly string[] = quantity.workloads;
    return workloads.includes(trial.conditions.workload) && quantity.telemetry === trial.telemetry;
  });
  return Object.fromEntries(
    had.map((name) => [name, (USUAL[name] ?? 1000) * (QUANTITIES[name].better === "lower" ? 1 / speed : speed)]),
  );
}

/** Requests by 1, 2 and 4 workers under two distributions, five times each. */
export function makeExperiment(other: Partial<Experiment> = {}): Experiment {
  return {
    name: "made",
    title: "An experiment of tests",
    question: "Do more workers answer more requests?",
    machines: "process",
    factors: [
      { name: "distribution", levels: ["direct", "shared"] },
      { name: "workers", levels: [1, 2, 4] },
    ],
    fixed: { workload: "rpc" },
    constraints: [],
    repetitions: 5,
    warmupS: 0.5,
    durationS: 2,
    seed: 1,
    quantities: ["requests_per_second", "latency_p99"],
    telemetry: false,
    figures: [],
    expected: [],
    published: [],
    quick: { factors: {} },
    ...other,
  };
}

/** Its plan without options. */
export function makeTrials(experiment: Experiment): readonly Trial[] {
  return planTrials(experiment, { quick: false, only: [] }).trials;
}
