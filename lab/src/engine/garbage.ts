/** Whether a lab of this state folder is garbage, and why. */
import type { MachineSpec } from "../drivers/machine-driver.js";
import type { SwitchSpec } from "../drivers/switch-driver.js";
import { VnflabError } from "../model/error.js";
import type { EngineContext } from "./context.js";
import { findRecord, type LabRecord } from "./record.js";
import { markedProcesses } from "./strays.js";

/** Undefined while there is anything to keep, or when that cannot be found out. */
export async function whyGarbage(context: EngineContext, lab: string): Promise<string | undefined> {
  try {
    const record = await findRecord(context.host.files, context.layout.lab(lab).stateDir);
    if (!record) return "it has no record";
    if (record.phase !== "up") return "the command that was changing it has ended before its time";
    if (record.owner && !(await context.host.exec.isAlive(record.owner)))
      return "the command that it belonged to has ended";
    return (await somethingRuns(context, record)) ? undefined : "nothing of it runs";
  } catch (error) {
    if (error instanceof VnflabError && error.code === "VNF_RECORD_INVALID") return error.message;
    throw error;
  }
}

/** Processes of this host are known by their marks; what is elsewhere must be asked for. */
async function somethingRuns(context: EngineContext, record: LabRecord): Promise<boolean> {
  if ((await markedProcesses(context, record.deployment.runDir)).length > 0) return true;
  const elsewhere = record.machines.filter(
    (spec) => isElsewhere(spec) || (spec.kind === "vm" && spec.libvirtUri !== undefined),
  );
  const asked = [
    ...elsewhere.map(async (spec) => (await context.machineDriver(spec).observe(spec)).status),
    ...(isElsewhere(record.switch)
      ? [
          context
            .switchDriver(record.switch)
            .observe(record.switch)
            .then(({ status }) => status),
        ]
      : []),
  ];
  // What does not answer may live.
  const seen = await Promise.all(asked.map((status) => status.catch(() => "running" as const)));
  return seen.includes("running");
}

function isElsewhere({ place }: MachineSpec | SwitchSpec): boolean {
  return place.kind !== "local";
}
