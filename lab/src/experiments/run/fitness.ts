/** What this host's figures can say, judged before anything is measured; the verdict stands on every figure. */
import { COMPARABLE, type Comparable } from "../../model/experiment/experiment.js";
import { cpusOf } from "../../model/experiment/factors.js";
import type { Fitness, FitnessCheck } from "../../model/experiment/run-folder.js";
import type { Trial } from "../../model/experiment/trial.js";

/** What was read of the host. */
export interface HostReadings {
  /** CPUs that this process may use. */
  readonly cores: number;
  /** Absent: there are no virtual machines in the plan. */
  readonly accelerator?: { readonly accelerator: "kvm" | "tcg"; readonly reason: string };
  /** Absent: the frequency cannot be changed from here. */
  readonly governor?: string;
  /** The host is itself a virtual machine. */
  readonly hypervisor: boolean;
  /** Part of its time that the host was not given while it was calibrated, per cent. */
  readonly stealPercent: number;
  /** Of a thread that only polls, on an idle host; or why that is not known. */
  readonly noise: { readonly lostPercent: number; readonly longestUs: number } | string;
  /** Free memory in pages of 2 MiB. */
  readonly hugepagesMib: number;
}

/** Beyond these a latency is the host's, not the stack's. */
const MOST = { stealPercent: 1, lostPercent: 1, gapUs: 1000 };

interface Verdict extends FitnessCheck {
  /** In the stamp. */
  readonly mark: string;
}

/** Pure. */
export function judgeFitness(readings: HostReadings, trials: readonly Trial[]): Fitness {
  const verdicts = [
    cores(readings, trials),
    ...(readings.accelerator ? [accelerator(readings.accelerator), hugepages(readings)] : []),
    frequency(readings),
    steal(readings),
    noise(readings),
  ];
  const unfit = verdicts.filter(({ ok }) => !ok);
  const forbidden = new Set(unfit.flatMap(({ forbids }) => forbids));
  return {
    checks: verdicts.map(({ mark: _, ...check }) => check),
    stamp: stampOf(unfit),
    forbids: COMPARABLE.filter((kind) => forbidden.has(kind)),
  };
}

/** CPUs that never rest while a trial runs: those of both machines' stacks, and the switch's. */
export function pollersOf(trials: readonly Trial[]): number {
  return Math.max(0, ...trials.map(({ conditions }) => 2 * cpusOf(conditions))) + 1;
}

function cores({ cores: had }: HostReadings, trials: readonly Trial[]): Verdict {
  const wanted = pollersOf(trials);
  const detail = `${had} CPUs for ${wanted} threads that never rest: two stacks at their largest and the switch`;
  return {
    ...{ name: "cores", ok: had >= wanted, detail, mark: "oversubscribed" },
    forbids: ["absolute", "scaling", "latency"],
  };
}

function accelerator({ accelerator: kind, reason }: NonNullable<HostReadings["accelerator"]>): Verdict {
  return {
    ...{ name: "accelerator", ok: kind === "kvm", detail: `${kind.toUpperCase()}: ${reason}`, mark: "TCG" },
    forbids: ["absolute", "scaling", "latency"],
  };
}

function hugepages({ hugepagesMib }: HostReadings): Verdict {
  const detail = `${hugepagesMib} MiB free in pages of 2 MiB for the memory of virtual machines`;
  return { name: "hugepages", ok: hugepagesMib > 0, detail, mark: "no hugepages", forbids: ["absolute"] };
}

function frequency({ governor, hypervisor }: HostReadings): Verdict {
  const fixed = hypervisor ? "set by the host of this virtual host" : "not to be changed from here";
  const detail = governor === undefined ? `the frequency is ${fixed}` : `frequency governor ${governor}`;
  return {
    ...{ name: "governor", ok: governor === undefined || governor === "performance", detail },
    ...{ mark: `governor ${governor}`, forbids: ["absolute", "scaling", "latency"] },
  };
}

function steal({ hypervisor, stealPercent }: HostReadings): Verdict {
  const whose = hypervisor ? "a virtual host" : "a host of its own";
  const detail = `${whose}; ${stealPercent.toFixed(1)} % of its time went to others while it was idle`;
  return {
    ...{ name: "steal", ok: stealPercent <= MOST.stealPercent, detail, mark: "stolen time" },
    forbids: ["absolute", "scaling", "latency"],
  };
}

function noise({ noise: seen }: HostReadings): Verdict {
  const common = { name: "noise", mark: "noise", forbids: ["latency"] } as const;
  if (typeof seen === "string") return { ...common, ok: false, detail: seen };
  const { lostPercent, longestUs } = seen;
  const ok = lostPercent <= MOST.lostPercent && longestUs <= MOST.gapUs;
  const detail = `a thread that only polls misses ${lostPercent.toFixed(2)} % of its time, ${longestUs.toFixed(0)} us at once`;
  return { ...common, ok, detail };
}

const WORDS: Readonly<Record<Comparable, string>> = {
  ...{ absolute: "absolute figures", scaling: "scaling", latency: "latencies", ratio: "ratios" },
};

/** A line for each set of statements that some checks forbid alike. */
function stampOf(unfit: readonly Verdict[]): string[] {
  const marks = new Map<string, string[]>();
  for (const { forbids, mark } of unfit) {
    const what = inWords(forbids.map((kind) => WORDS[kind]));
    marks.set(what, [...(marks.get(what) ?? []), mark]);
  }
  return [...marks].map(
    ([what, why]) => `${why.join("/")}: ${what} ${/ and |s$/.test(what) ? "are" : "is"} not comparable`,
  );
}

function inWords(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}
