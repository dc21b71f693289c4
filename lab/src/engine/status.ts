/** What exists and what runs. */
import type { MachineState } from "../drivers/machine-driver.js";
import type { PortState, SwitchSpec, SwitchState } from "../drivers/switch-driver.js";
import type { EngineContext } from "./context.js";
import { requireRecord } from "./record.js";

export interface MachineStatus {
  readonly name: string;
  readonly kind: string;
  readonly address: string;
  readonly mac: string;
  readonly status: MachineState["status"];
  readonly detail: string;
  /** It runs and stands still. */
  readonly paused?: boolean;
  readonly port?: PortState;
}

export interface LabStatus {
  readonly schemaVersion: 1;
  readonly lab: string;
  readonly file: string;
  /** Everything runs. */
  readonly running: boolean;
  readonly switch: Omit<SwitchState, "ports"> & Pick<SwitchSpec, "kind" | "address">;
  readonly machines: readonly MachineStatus[];
  /** Of all NICs; empty when the switch does not run. */
  readonly ports: readonly PortState[];
}

export async function labStatus(context: EngineContext, lab: string): Promise<LabStatus> {
  const record = await requireRecord(context.host.files, context.layout, lab);
  const { ports, ...sw } = await context.switchDriver(record.switch).observe(record.switch);
  const machines = await Promise.all(
    record.machines.map(async (spec, index): Promise<MachineStatus> => {
      const { status, detail, paused } = await context.machineDriver(spec).observe(spec);
      const port = ports.find(({ name }) => name === spec.machine);
      const { address = "", mac = "" } = record.deployment.machines[index]?.nics[0] ?? {};
      const known = { name: spec.machine, kind: spec.kind, address, mac, status, detail };
      return { ...known, ...(paused ? { paused } : {}), ...(port ? { port } : {}) };
    }),
  );
  const running = sw.status === "running" && machines.every(({ status }) => status === "running");
  return {
    schemaVersion: 1,
    lab,
    file: record.file,
    running,
    switch: { ...sw, kind: record.switch.kind, address: record.switch.address },
    machines,
    ports,
  };
}
