/** The readiness ladder of a virtual machine: runs, prints, answers, is set up, has its NICs. Each look is one look. */
import { VnflabError } from "../../model/error.js";
import type { MachineState, Rung, RungName, RungStatus, VmSpec } from "../machine-driver.js";
import type { GuestAgent } from "./guest-agent.js";

/** Written by the guest's init at its end: one of the two, with the same fields. */
const READY_FILE = "/run/vnflab/ready";
const FAILED_FILE = "/run/vnflab/failed";
const CONSOLE_LINES = 40;

export interface RungSources {
  readonly agent: GuestAgent;
  consoleTail(lines: number): Promise<string[]>;
  observe(): Promise<MachineState>;
  /** The error of a machine that has ended. */
  lost(detail: string): Promise<VnflabError>;
}

export function vmRungs(spec: VmSpec, sources: RungSources): readonly Rung[] {
  const looks: readonly (readonly [RungName, () => Promise<RungStatus>])[] = [
    ["running", async () => ({ reached: true, detail: (await sources.observe()).detail })],
    ["console", () => console(sources)],
    ["agent", () => agent(sources)],
    ["init", () => init(spec, sources)],
    ...(spec.macs.length > 0 ? [["nic", () => nic(spec, sources)] as const] : []),
  ];
  return looks.map(([name, look]) => ({
    name,
    deadlineMs: spec.deadlinesMs[name],
    probe: async (signal) => {
      signal.throwIfAborted();
      const { status, detail } = await sources.observe();
      if (status !== "running") throw await sources.lost(detail);
      return look();
    },
  }));
}

async function console(sources: RungSources): Promise<RungStatus> {
  const [line] = await sources.consoleTail(1);
  return line === undefined ? { reached: false, lastSeen: "an empty console" } : { reached: true, detail: line.trim() };
}

async function agent(sources: RungSources): Promise<RungStatus> {
  try {
    await sources.agent.ping();
    return { reached: true };
  } catch (error) {
    return { reached: false, lastSeen: `${messageOf(error)}${await lastLine(sources)}` };
  }
}

async function init(spec: VmSpec, sources: RungSources): Promise<RungStatus> {
  try {
    const { hostname, uio, hugepages } = await readResult(sources, READY_FILE);
    return { reached: true, detail: `${hostname ?? spec.machine}, ${uio.length} NICs, ${hugepages ?? 0} hugepages` };
  } catch (error) {
    const failed = await readResult(sources, FAILED_FILE).catch(() => undefined);
    if (failed) throw await notReady(spec, sources, `init failed: ${failed.errors.join("; ")}`);
    return { reached: false, lastSeen: `${messageOf(error)}${await lastLine(sources)}` };
  }
}

/** The file is written once, when binding is over: what is missing now stays missing. */
async function nic(spec: VmSpec, sources: RungSources): Promise<RungStatus> {
  const { uio } = await readResult(sources, READY_FILE);
  if (uio.length >= spec.macs.length) return { reached: true, detail: uio.join(" ") };
  const text = `${uio.length} of ${spec.macs.length} NICs are bound to uio_pci_generic`;
  throw await notReady(spec, sources, text);
}

async function notReady(spec: VmSpec, sources: RungSources, text: string): Promise<VnflabError> {
  const log = { file: spec.consoleLog, lines: await sources.consoleTail(CONSOLE_LINES) };
  return new VnflabError("VNF_NOT_READY", `${spec.machine}: ${text}`, { log });
}

interface InitResult {
  readonly hostname?: string;
  readonly hugepages?: number;
  readonly uio: readonly string[];
  readonly errors: readonly string[];
}

async function readResult(sources: RungSources, file: string): Promise<InitResult> {
  const text = new TextDecoder().decode(await sources.agent.readFile(file));
  return { uio: [], errors: [], ...(JSON.parse(text) as Partial<InitResult>) };
}

async function lastLine(sources: RungSources): Promise<string> {
  const [line] = await sources.consoleTail(1);
  return line === undefined ? "" : `; the console's last line: ${line.trim()}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
