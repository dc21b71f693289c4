/** What is known of a lab, in its state folder. It is written before the first action and removed by the last one. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { MachineSpec } from "../drivers/machine-driver.js";
import type { SwitchSpec } from "../drivers/switch-driver.js";
import type { ProcessIdentity } from "../host/exec.js";
import type { Files } from "../host/files.js";
import type { Layout } from "../host/layout.js";
import type { AllocatedMachine, Deployment } from "../model/deployment.js";
import { VnflabError } from "../model/error.js";
import { didYouMean } from "../model/suggest.js";
import type { HeldCore } from "../plan/allocate.js";
import type { DesiredMachine, SwitchFingerprints } from "../plan/plan.js";

const VERSION = 2;

/** What a command is doing with the lab, or was when it ended: only "up" is settled. */
export type LabPhase = "changing" | "up" | "going";

export interface LabRecord {
  readonly schemaVersion: typeof VERSION;
  readonly lab: string;
  /** The lab file. */
  readonly file: string;
  /** ISO 8601, of the first `up`. */
  readonly createdAt: string;
  readonly phase: LabPhase;
  /** The lab lives only as long as this process: `up --foreground`, `demo`, a test. */
  readonly owner?: ProcessIdentity;
  /** Of machines, ports and switch: whether a snapshot fits. */
  readonly fingerprint: string;
  readonly fingerprints: { readonly switch: SwitchFingerprints; readonly machines: Readonly<Record<string, string>> };
  /** What other labs had when this one was planned. */
  readonly heldCores: readonly HeldCore[];
  readonly deployment: Deployment;
  readonly switch: SwitchSpec;
  readonly machines: readonly MachineSpec[];
}

export interface RecordParts {
  readonly file: string;
  readonly createdAt: string;
  readonly owner?: ProcessIdentity;
  /** What other labs had when this one was planned. */
  readonly heldCores: readonly HeldCore[];
  readonly deployment: Deployment;
  readonly switch: SwitchSpec;
  readonly machines: readonly MachineSpec[];
}

export function makeRecord(parts: RecordParts): LabRecord {
  const { deployment, switch: sw, machines } = parts;
  const prints = machines.map((spec) => [spec.machine, machineFingerprint(spec, deployment)] as const);
  const fingerprints = { switch: switchFingerprints(sw), machines: Object.fromEntries(prints) };
  return {
    schemaVersion: VERSION,
    lab: deployment.lab,
    phase: "changing",
    fingerprint: labFingerprint(sw, fingerprints),
    fingerprints,
    ...parts,
  };
}

/** The same lab with another switch, or with links that do something else to frames. */
export function withSwitch(record: LabRecord, sw: SwitchSpec): LabRecord {
  const fingerprints = { ...record.fingerprints, switch: switchFingerprints(sw) };
  return { ...record, switch: sw, fingerprint: labFingerprint(sw, fingerprints), fingerprints };
}

/** For a clean-up: a machine that is no longer in the file may not have been stopped yet. */
export function withMachinesOf(record: LabRecord, old: LabRecord | undefined): LabRecord {
  const names = new Set(record.machines.map(({ machine }) => machine));
  const more = old?.machines.filter(({ machine }) => !names.has(machine)) ?? [];
  const allocated = old?.deployment.machines.filter(({ name }) => !names.has(name)) ?? [];
  const deployment = { ...record.deployment, machines: [...record.deployment.machines, ...allocated] };
  return { ...record, machines: [...record.machines, ...more], deployment };
}

/** What the plan wants to know of the machines of a record. */
export function desiredMachines({ machines, fingerprints }: LabRecord): DesiredMachine[] {
  return machines.map((spec) => ({
    name: spec.machine,
    fingerprint: fingerprints.machines[spec.machine] ?? "",
    reconnects: spec.kind === "vm" && /<reconnect\b[^>]*\benabled=['"]yes['"]/.test(spec.domainXml),
  }));
}

export async function writeRecord(files: Files, record: LabRecord): Promise<void> {
  await files.write(recordFile(record.deployment.stateDir), `${JSON.stringify(record, null, 2)}\n`);
}

/** Undefined when there is none. Throws VNF_RECORD_INVALID for one that cannot be read. */
export async function findRecord(files: Files, stateDir: string): Promise<LabRecord | undefined> {
  const file = recordFile(stateDir);
  const text = await files.readText(file);
  if (text === undefined) return undefined;
  const record = parseRecord(text);
  if (record) return record;
  throw new VnflabError("VNF_RECORD_INVALID", `${file} is cut short, or of another version of vnflab`);
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

function parseRecord(text: string): LabRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<LabRecord> | null;
    const whole = value?.schemaVersion === VERSION && value.deployment && value.switch && Array.isArray(value.machines);
    return whole ? (value as LabRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Deadlines are for who waits, not for what is waited for. */
function switchFingerprints({ deadlinesMs: _, ...spec }: SwitchSpec): SwitchFingerprints {
  const { ports, links, ...process } = spec;
  return { process: fingerprint(process), wiring: fingerprint([ports, links]) };
}

function machineFingerprint({ deadlinesMs: _, ...spec }: MachineSpec, { machines }: Deployment): string {
  return fingerprint([spec, machines.find(({ name }) => name === spec.machine)]);
}

/** Not of what links do to frames, which changes while the lab runs. */
function labFingerprint({ ports }: SwitchSpec, { switch: sw, machines }: LabRecord["fingerprints"]): string {
  return fingerprint([sw.process, ports, machines]);
}

/** The order of keys means nothing. */
function fingerprint(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function recordFile(stateDir: string): string {
  return join(stateDir, "lab.json");
}
