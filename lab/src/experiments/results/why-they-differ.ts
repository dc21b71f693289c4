/** What differs between two runs besides their figures, and what their hosts could not tell: a sentence each. */
import type { Manifest, Run } from "../../model/experiment/run-folder.js";

export function whyTheyDiffer(a: Run, b: Run): string[] {
  const [left, right] = [a.manifest, b.manifest];
  const differs = (what: string, of: (manifest: Manifest) => string | number) =>
    of(left) === of(right) ? [] : [`${what}: ${of(left)} in A, ${of(right)} in B`];
  return [
    ...differs("experiment", ({ experiment }) => experiment.name),
    ...differs("seconds of a trial", ({ experiment }) => experiment.durationS),
    ...differs("CPU", ({ host }) => host.cpu),
    ...differs("cores", ({ host }) => host.cores),
    ...differs("kernel", ({ host }) => host.kernel),
    ...differs("governor", ({ host }) => host.governor ?? "unknown"),
    ...[...new Set([...left.fitness.stamp, ...right.fitness.stamp])].map((stamp) => `host: ${stamp}`),
  ];
}
