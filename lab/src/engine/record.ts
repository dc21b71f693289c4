/** What is kept of a lab in its state folder, written before anything is started: enough to stop it without the file. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { MachineSpec } from "../drivers/machine-driver.js";
import type { SwitchSpec } from "../drivers/switch-driver.js";
import type { Files } from "../host/files.js";
import type { Layout } from "../host/layout.js";
import type { AllocatedMachine, Deployment } from "../model/deployment.js";
import { VnflabError } from "../model/error.js";
import { didYouMean } from "../model/suggest.js";

export interface LabRecord {
  readonly schemaVersion: 1;
  readonly lab: string;
  /** The lab file. */
  readonly file: string;
  readonly fingerprint: string;
  readonly deployment: Deployment;
  readonly switch: SwitchSpec;
  readonly machines: readonly MachineSpec[];
}

export function makeRecord(
  file: string,
  deployment: Deployment,
  sw: SwitchSpec,
  machines: readonly MachineSpec[],
): LabRecord {
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([deployment, sw, machines]))
    .digest("hex");
  return { schemaVersion: 1, lab: deployment.lab, file, fingerprint, deployment, switch: sw, machines };
}

export async function writeRecord(files: Files, record: LabRecord): Promise<void> {
  await files.write(recordFile(record.deployment.stateDir), `${JSON.stringify(record, null, 2)}\n`);
}

export async function findRecord(files: Files, stateDir: string): Promise<LabRecord | undefined> {
  const text = await files.readText(recordFile(stateDir));
  return text === undefined ? undefined : (JSON.parse(text) as LabRecord);
}

/** Throws VNF_LAB_UNKNOWN when there is no such lab. */
export async function requireRecord(files: Files, layout: Layout, lab: string): Promise<LabRecord> {
  const record = await findRecord(files, layout.lab(lab).stateDir);
  if (!record) {
    const near = didYouMean(lab, await files.list(join(layout.stateRoot, "labs")));
    throw new VnflabError("VNF_LAB_UNKNOWN", `there is no lab "${lab}" in ${layout.stateRoot}${near}`);
  }
  return record;
}

export function machineOf(record: LabRecord, name: string): { spec: MachineSpec; allocated: AllocatedMachine } {
  const spec = record.machines.find(({ machine }) => machine === name);
  const allocated = record.deployment.machines.find((machine) => machine.name === name);
  if (!spec || !allocated) {
    const names = record.machines.map(({ machine }) => machine);
    const message = `lab "${record.lab}" has no machine "${name}"${didYouMean(name, names)}; it has ${names.join(", ")}`;
    throw new VnflabError("VNF_LAB_UNKNOWN", message);
  }
  return { spec, allocated };
}

function recordFile(stateDir: string): string {
  return join(stateDir, "lab.json");
}
