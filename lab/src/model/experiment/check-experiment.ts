/** What the schema alone cannot tell: whether the parts of an experiment fit together. */
import type { Path, Problem } from "../problem.js";
import { didYouMean } from "../suggest.js";
import type { Expectation, Experiment, FactorName, Level, LevelLists, Levels } from "./experiment.js";
import { FACTORS, formatLevel } from "./factors.js";
import { QUANTITIES, type QuantityName } from "./quantities.js";

/** Combinations with their repetitions; more is a slip of the pen, or no experiment that ever ends. */
const MOST_TRIALS = 20_000;

export function checkExperiment(experiment: Experiment): Problem[] {
  const check = new Check(experiment);
  check.factors();
  check.constraints();
  check.quantities();
  check.figures();
  check.expectations();
  check.published();
  check.quick();
  return check.problems;
}

class Check {
  readonly problems: Problem[] = [];
  private readonly varied: ReadonlyMap<FactorName, readonly Level[]>;

  constructor(private readonly experiment: Experiment) {
    this.varied = new Map(experiment.factors.map(({ name, levels }) => [name, levels]));
  }

  factors(): void {
    const { factors, fixed, repetitions } = this.experiment;
    if (factors.length === 0) this.add(["factors"], "an experiment varies at least one factor");
    for (const name of Object.keys(fixed) as FactorName[]) {
      if (this.varied.has(name)) this.add(["fixed", name], "it varies: it is among the factors as well");
    }
    if (fixed.load) this.add(["fixed", "load"], "a load is a factor, because it needs a peak: factors: {load: [...]}");
    const trials = factors.reduce((product, { levels }) => product * levels.length, repetitions);
    if (trials > MOST_TRIALS) this.add(["factors"], `${trials} trials are more than ${MOST_TRIALS}`);
  }

  constraints(): void {
    for (const [index, { when, only }] of this.experiment.constraints.entries()) {
      const path = ["constraints", index];
      this.lists([...path, "when"], when);
      for (const name of Object.keys(only) as FactorName[]) {
        if (only[name] === "=workers" && FACTORS[name].levels.kind !== "whole") {
          this.add([...path, "only", name], "is no number, and cannot be that of the workers");
        }
      }
      if (Object.keys(only).length === 0) this.add([...path, "only"], "names no factor");
    }
  }

  quantities(): void {
    const { quantities, telemetry } = this.experiment;
    for (const [index, name] of quantities.entries()) {
      const path = ["quantities", index];
      const { workloads, telemetry: needsTelemetry } = QUANTITIES[name];
      if (quantities.indexOf(name) < index) this.add(path, `${name} stands there twice`);
      if (needsTelemetry && !telemetry) this.add(path, `${name} is read from counters: telemetry: true`);
      const ours = this.varied.get("workload") ?? [this.experiment.fixed.workload ?? "rpc"];
      if (!workloads.some((workload) => ours.includes(workload))) {
        this.add(path, `${name} is measured by ${workloads.join(", ")}, and none of them is a workload here`);
      }
    }
  }

  figures(): void {
    for (const [index, { quantity, x, series, facet, where }] of this.experiment.figures.entries()) {
      const path = ["figures", index];
      this.measured([...path, "quantity"], quantity);
      this.factor([...path, "x"], x);
      for (const [at, name] of series.entries()) this.factor([...path, "series", at], name);
      if (facet) this.factor([...path, "facet"], facet);
      this.levels([...path, "where"], where);
    }
  }

  expectations(): void {
    const names = this.experiment.expected.map(({ name }) => name);
    for (const [index, expectation] of this.experiment.expected.entries()) {
      const path = ["expected", index];
      if (names.indexOf(expectation.name) < index) this.add([...path, "name"], "another one has this name");
      this.measured([...path, "quantity"], expectation.quantity);
      this.levels([...path, "where"], expectation.where);
      this.statement(path, expectation);
    }
  }

  private statement(path: Path, expectation: Expectation): void {
    if (expectation.kind === "ratio") {
      this.levels([...path, "ratio", "of"], expectation.of);
      this.levels([...path, "ratio", "to"], expectation.to);
    } else if (expectation.kind === "order") {
      this.factor([...path, "order", "by"], expectation.by);
      for (const [at, level] of expectation.order.entries()) {
        this.level([...path, "order", "order", at], expectation.by, level);
      }
    } else {
      this.factor([...path, expectation.kind, "along"], expectation.along);
      if (expectation.kind === "saturation") {
        this.level([...path, "saturation", "from"], expectation.along, expectation.from);
      }
    }
  }

  published(): void {
    for (const [index, { quantity, points }] of this.experiment.published.entries()) {
      this.measured(["published", index, "quantity"], quantity);
      // Others had other levels: more cores, other sizes. Their factors must be ours, so that they can be told apart.
      for (const [at, { levels }] of points.entries()) {
        for (const name of Object.keys(levels) as FactorName[]) {
          this.known(["published", index, "points", at, "levels", name], name);
        }
      }
    }
  }

  quick(): void {
    this.lists(["quick", "factors"], this.experiment.quick.factors, true);
  }

  private add(path: Path, message: string): void {
    this.problems.push({ path, message });
  }

  private measured(path: Path, name: QuantityName): void {
    const { quantities } = this.experiment;
    if (!quantities.includes(name)) {
      this.add(path, `${name} is not among the quantities${didYouMean(name, quantities)}: ${quantities.join(", ")}`);
    }
  }

  /** It varies. */
  private factor(path: Path, name: FactorName): boolean {
    if (this.varied.has(name)) return true;
    const names = [...this.varied.keys()];
    this.add(path, `${name} does not vary${didYouMean(name, names)}; what does: ${names.join(", ")}`);
    return false;
  }

  /** It varies or is fixed. */
  private known(path: Path, name: FactorName): boolean {
    return name in this.experiment.fixed || this.factor(path, name);
  }

  private lists(path: Path, lists: LevelLists, mustVary = false): void {
    for (const [name, levels] of Object.entries(lists) as [FactorName, readonly Level[]][]) {
      if (mustVary && !this.factor([...path, name], name)) continue;
      for (const [index, level] of levels.entries()) this.level([...path, name, index], name, level);
    }
  }

  private levels(path: Path, levels: Levels): void {
    for (const [name, level] of Object.entries(levels) as [FactorName, Level][]) {
      this.level([...path, name], name, level);
    }
  }

  private level(path: Path, name: FactorName, level: Level): void {
    if (!this.known(path, name)) return;
    const { fixed } = this.experiment;
    const levels = this.varied.get(name) ?? [fixed[name] as Level];
    // The peak is measured whether or not it is named.
    if (levels.includes(level) || (name === "load" && level === 0)) return;
    const words = levels.map((one) => formatLevel(name, one));
    this.add(path, `${name} is never ${formatLevel(name, level)}; it is ${words.join(", ")}`);
  }
}
