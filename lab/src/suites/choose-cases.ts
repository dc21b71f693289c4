/** Which cases run: those that are named, by suite or by themselves; otherwise all that need not be asked for. */
import { VnflabError } from "../model/error.js";
import { didYouMean } from "../model/suggest.js";
import type { TestCase } from "./case.js";
import { ON_DEMAND, suites } from "./registry.js";

/** Throws VNF_USAGE when there is no suite or case of such a name. */
export function chooseCases(only: readonly string[] | undefined): TestCase[] {
  if (!only) {
    return Object.entries(suites).flatMap(([name, cases]) => (ON_DEMAND.has(name) ? [] : cases));
  }
  const all = Object.values(suites).flat();
  const known = [...Object.keys(suites), ...all.map(({ id }) => id)];
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const hint = `There are ${known.join(", ")}.`;
    throw new VnflabError("VNF_USAGE", `no suite or case "${unknown}"${didYouMean(unknown, known)}`, { hint });
  }
  return all.filter(({ id }) => only.includes(id) || only.includes(id.split(".")[0] ?? ""));
}

export interface ListedCase {
  readonly id: string;
  readonly title: string;
  /** It runs only when it or its suite is named. */
  readonly onDemand: boolean;
}

export function listCases(only: readonly string[] | undefined): ListedCase[] {
  const chosen = only ? chooseCases(only) : Object.values(suites).flat();
  return chosen.map(({ id, title }) => ({ id, title, onDemand: ON_DEMAND.has(id.split(".")[0] ?? "") }));
}
