/** `vnflab restart`: some machines of a running lab, the others are left alone. */
import { VnflabError } from "../model/error.js";
import type { Action } from "../plan/action.js";
import { planRestart } from "../plan/plan.js";
import { changeLab } from "./change-lab.js";
import type { EngineContext } from "./context.js";
import { lockLab } from "./down.js";
import { machineOf, requireRecord } from "./record.js";

/** When it fails the lab stays as it is, for `up` to mend. */
export async function restart(
  context: EngineContext,
  lab: string,
  machines: readonly string[],
  signal: AbortSignal,
): Promise<readonly Action[]> {
  await using _lock = await lockLab(context, lab, "restart");
  const record = await requireRecord(context.host.files, context.layout, lab);
  for (const name of machines) machineOf(record, name);
  const sw = await context.switchDriver(record.switch).observe(record.switch);
  if (sw.status !== "running") {
    throw new VnflabError("VNF_SWITCH_FAILED", `the switch of lab "${lab}" does not run: ${sw.detail}`, {
      hint: `Run \`vnflab up ${record.file}\`: it starts the switch, and what does not find it again by itself.`,
    });
  }
  const actions = planRestart(machines);
  await changeLab(context, record, `restart ${machines.join(" ")} of`, actions, signal);
  return actions;
}
