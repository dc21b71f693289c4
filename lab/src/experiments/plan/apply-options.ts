/** The experiment as the command line wants it: quick, other machines, fewer levels, more repetitions, another seed. */
import { VnflabError } from "../../model/error.js";
import type { Experiment, FactorName, Level } from "../../model/experiment/experiment.js";
import { FACTORS, formatLevel, isFactorName, parseLevel } from "../../model/experiment/factors.js";
import type { PlanOptions } from "../../model/experiment/trial.js";
import { didYouMean } from "../../model/suggest.js";

/** Throws VNF_USAGE for a factor or a level that the experiment has not. */
export function applyOptions(experiment: Experiment, options: PlanOptions): Experiment {
  const base = options.quick ? quickened(experiment) : experiment;
  const chosen = options.only.reduce(chooseLevels, base);
  return {
    ...chosen,
    ...(options.machines === undefined ? {} : { machines: options.machines }),
    ...(options.repeat === undefined ? {} : { repetitions: options.repeat }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  };
}

function quickened(experiment: Experiment): Experiment {
  const { factors, ...other } = experiment.quick;
  return {
    ...experiment,
    ...other,
    factors: experiment.factors.map(({ name, levels }) => ({ name, levels: factors[name] ?? levels })),
  };
}

function chooseLevels(experiment: Experiment, { factor, levels }: PlanOptions["only"][number]): Experiment {
  const names = experiment.factors.map(({ name }) => name);
  if (!isFactorName(factor) || !names.includes(factor)) {
    throw new VnflabError(
      "VNF_USAGE",
      `--only ${factor}: ${experiment.name} does not vary it${didYouMean(factor, names)}`,
      {
        hint: `It varies ${names.join(", ")}.`,
      },
    );
  }
  return {
    ...experiment,
    factors: experiment.factors.map((one) =>
      one.name === factor ? { name: factor, levels: chosenOf(one.levels, factor, levels) } : one,
    ),
  };
}

/** In the order of the experiment. */
function chosenOf(had: readonly Level[], factor: FactorName, texts: readonly string[]): Level[] {
  const words = had.map((level) => formatLevel(factor, level));
  const chosen = texts.map((text) => {
    const level = parseLevel(FACTORS[factor], text);
    if (level !== undefined && had.includes(level)) return level;
    // One number is as near to another as any.
    const near = FACTORS[factor].levels.kind === "choice" ? didYouMean(text, words) : "";
    throw new VnflabError("VNF_USAGE", `--only ${factor}=${text}: no such level${near}`, {
      hint: `There are ${words.join(", ")}.`,
    });
  });
  return had.filter((level) => chosen.includes(level));
}
