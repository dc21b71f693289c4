/** The readiness ladder of a virtual machine: runs, prints, answers, is set up, has its NICs. Each look is one look. */
import { VnflabError } from "../../model/error.js";
import type { MachineState, Rung, RungName, RungStatus, VmSpec } from "../machine-driver.js";
import type { GuestAgent } from "./guest-agent.js";

/** Written by the guest's init when all is set up. */
const READY_FILE = "/run/vnflab/ready";

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
    ["init", () => init(sources)],
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

async function init(sources: RungSources): Promise<RungStatus> {
  try {
    return { reached: true, detail: JSON.stringify(await readReady(sources)) };
  } catch (error) {
    return { reached: false, lastSeen: `${messageOf(error)}${await lastLine(sources)}` };
  }
}

/** The file is written once, when binding is over: what is missing now stays missing. */
async function nic(spec: VmSpec, sources: RungSources): Promise<RungStatus> {
  const { uio } = await readReady(sources);
  if (uio.length >= spec.macs.length) return { reached: true, detail: uio.join(" ") };
  throw new VnflabError(
    "VNF_NOT_READY",
    `${spec.machine}: ${uio.length} of ${spec.macs.length} NICs are bound to uio_pci_generic`,
    { log: { file: spec.consoleLog, lines: await sources.consoleTail(40) } },
  );
}

async function readReady(sources: RungSources): Promise<{ uio: string[] }> {
  const text = new TextDecoder().decode(await sources.agent.readFile(READY_FILE));
  const ready = JSON.parse(text) as { uio?: string[] };
  return { ...ready, uio: ready.uio ?? [] };
}

async function lastLine(sources: RungSources): Promise<string> {
  const [line] = await sources.consoleTail(1);
  return line === undefined ? "" : `; the console's last line: ${line.trim()}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
