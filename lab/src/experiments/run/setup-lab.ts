/** The lab of a run: one at a time, brought up anew for each setup, and gone with this process however that ends. */
import { createHash } from "node:crypto";
import type { EngineContext } from "../../engine/context.js";
import { down } from "../../engine/down.js";
import { type ForegroundLab, upInForeground } from "../../engine/foreground.js";
import { Lab } from "../../engine/lab.js";
import { exampleFile } from "../../engine/up.js";
import { asVnflabError } from "../../model/error.js";
import type { MachineKind } from "../../model/experiment/experiment.js";
import type { Setup } from "../../model/experiment/trial.js";
import type { Setting } from "../../model/setting.js";
import { setupKey } from "../plan/order.js";

export interface SetupLabOptions {
  /** Of the run; the lab's name comes from it, so that two runs go side by side and a run finds what it has left. */
  readonly run: string;
  /** For each answer of a machine or of the switch. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

const EXAMPLES: Readonly<Record<MachineKind, string>> = { vm: "two-vms", process: "two-processes" };
/** Of each machine: for one CPU, and for each one more. DPDK's packet buffers grow with the cores. */
const MEMORY_MIB = { first: 768, more: 128 };
const HUGEPAGES_MIB = { first: 256, more: 64 };
/** A lab whose owner was killed is taken down by its guardian; that long it may take. */
const GUARDIAN_MS = 60_000;
const LOOK_MS = 250;

export class SetupLab implements AsyncDisposable {
  private current: { readonly setup: Setup; readonly running: ForegroundLab; readonly lab: Lab } | undefined;
  private readonly name: string;

  constructor(
    private readonly context: EngineContext,
    private readonly options: SetupLabOptions,
  ) {
    this.name = labName(options.run);
  }

  /** Removes what the run has left that was killed. */
  removeLeftover(): Promise<void> {
    return removeLeftover(this.context, this.name);
  }

  /** The lab for this setup, which runs already when it was the last one's. Throws what keeps it from coming up. */
  async for(setup: Setup): Promise<{ readonly lab: Lab; readonly isNew: boolean }> {
    if (this.current && sameSetup(this.current.setup, setup) && (await isAlive(this.current.lab))) {
      return { lab: this.current.lab, isNew: false };
    }
    await this.drop();
    const { signal, deadlineMs } = this.options;
    const settings = settingsOf(this.name, setup);
    const file = exampleFile(this.context, EXAMPLES[setup.machines]);
    const running = await upInForeground(this.context, file, { signal, settings });
    try {
      const lab = (await Lab.open(this.context, this.name)).patient(deadlineMs);
      this.current = { setup, running, lab };
      return { lab, isNew: true };
    } catch (error) {
      await running[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Nothing is left of it then. */
  async drop(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.running[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.drop();
  }
}

export function sameSetup(one: Setup, other: Setup): boolean {
  return setupKey(one) === setupKey(other);
}

/** A name of a lab is short. */
export function labName(run: string): string {
  return `run-${createHash("sha256").update(run).digest("hex").slice(0, 10)}`;
}

/** What the example must say otherwise. */
export function settingsOf(name: string, { machines, cpus, queues, spread }: Setup): Setting[] {
  const set = (path: string, text: string): Setting => {
    return { path: path.split("."), text, origin: `the experiment's setup (${path}=${text})` };
  };
  const mib = ({ first, more }: typeof MEMORY_MIB) => `${first + more * (cpus - 1)}M`;
  return [
    set("name", name),
    set("defaults.queues", String(queues)),
    set("spread", spread),
    set("defaults.stack.cores", String(cpus)),
    set("defaults.hugepages", mib(HUGEPAGES_MIB)),
    ...(machines === "vm" ? [set("defaults.cpus", String(cpus)), set("defaults.memory", mib(MEMORY_MIB))] : []),
  ];
}

/** Machines and switch run; a trial may have brought one of them down. */
async function isAlive(lab: Lab): Promise<boolean> {
  try {
    const states = await Promise.all([lab.switchState(), ...lab.machines.map((machine) => machine.observe())]);
    return states.every(({ status }) => status === "running");
  } catch {
    return false;
  }
}

/** A run that was killed has left a lab of this name, at which its guardian may be at work still. */
async function removeLeftover(context: EngineContext, name: string): Promise<void> {
  const { clock } = context.host;
  const end = clock.now() + GUARDIAN_MS;
  for (;;) {
    try {
      return await down(context, name);
    } catch (thrown) {
      const { code } = asVnflabError(thrown);
      if (code === "VNF_LAB_UNKNOWN") return;
      if (code !== "VNF_LAB_LOCKED" || clock.now() > end) throw thrown;
      await clock.delay(LOOK_MS);
    }
  }
}
