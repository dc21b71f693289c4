import type { Observed, Presence } from "../plan/plan.js";
import { NOTHING } from "../plan/plan.js";
import type { EngineContext } from "./context.js";
import type { LabRecord } from "./record.js";

/** What runs of a recorded lab, as the plan wants it. */
export async function observeLab(context: EngineContext, record: LabRecord | undefined): Promise<Observed> {
  if (!record) return NOTHING;
  const sw = await context.switchDriver(record.switch).observe(record.switch);
  const machines = await Promise.all(
    record.machines.map(async (spec): Promise<[string, Presence]> => {
      const state = await context.machineDriver(spec).observe(spec);
      return [spec.machine, state.status];
    }),
  );
  return { switch: sw.status, machines: Object.fromEntries(machines), fingerprint: record.fingerprint };
}
