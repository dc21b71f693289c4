import type { Observed, ObservedMachine } from "../plan/plan.js";
import { NOTHING } from "../plan/plan.js";
import { unfinished } from "../plan/unfinished.js";
import type { EngineContext } from "./context.js";
import { readJournal } from "./journal.js";
import type { LabRecord } from "./record.js";

/** What runs of a recorded lab, as the plan wants it. */
export async function observeLab(context: EngineContext, record: LabRecord | undefined): Promise<Observed> {
  if (!record) return NOTHING;
  const { fingerprints } = record;
  const sw = await context.switchDriver(record.switch).observe(record.switch);
  const machines = await Promise.all(
    record.machines.map(async (spec): Promise<[string, ObservedMachine]> => {
      const { status } = await context.machineDriver(spec).observe(spec);
      return [spec.machine, { presence: status, fingerprint: fingerprints.machines[spec.machine] ?? "" }];
    }),
  );
  const seen = {
    switch: { presence: sw.status, fingerprints: fingerprints.switch },
    machines: Object.fromEntries(machines),
  };
  if (record.phase === "up") return seen;
  return { ...seen, unfinished: unfinished(await readJournal(context.host.files, record.deployment.stateDir)) };
}

export function anythingRuns({ switch: sw, machines }: Observed): boolean {
  return sw.presence === "running" || Object.values(machines).some(({ presence }) => presence === "running");
}
