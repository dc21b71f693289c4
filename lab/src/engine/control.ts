/** Machines of a lab that pause, go on or are reset, several at once. */
import { VnflabError } from "../model/error.js";
import type { Action } from "../plan/action.js";
import { changeLab } from "./change-lab.js";
import type { EngineContext } from "./context.js";
import { lockLab } from "./down.js";
import { Lab, type LabMachine } from "./lab.js";
import { desiredMachines } from "./record.js";

const VERBS = {
  pause: (machine: LabMachine) => machine.pause(),
  resume: (machine: LabMachine) => machine.resume(),
} as const;

/** Pauses or resumes; all machines when none is named. Gives the names of those that it was done to. */
export async function pauseOrResume(
  context: EngineContext,
  name: string,
  verb: keyof typeof VERBS,
  names: readonly string[] | undefined,
): Promise<string[]> {
  await using _lock = await lockLab(context, name, verb);
  const lab = await Lab.open(context, name);
  const machines = lab.select(names);
  await Promise.all(machines.map(VERBS[verb]));
  return machines.map((machine) => machine.name);
}

/** Resets machines and waits until they are as ready as after `up`. */
export async function reset(
  context: EngineContext,
  name: string,
  names: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<string[]> {
  await using _lock = await lockLab(context, name, "reset");
  const lab = await Lab.open(context, name);
  const machines = lab.select(names);
  for (const machine of machines) await refuseUnlessRunning(machine);
  await Promise.all(machines.map((machine) => machine.reset()));
  await makeReady(lab, machines, signal);
  return machines.map((machine) => machine.name);
}

/** Machines that would not find a switch that has been restarted. */
export function strandedBySwitch(lab: Lab): string[] {
  const desired = new Map(desiredMachines(lab.record).map((one) => [one.name, one.reconnects]));
  // A process attaches anew each time that it is started.
  return lab.machines.filter(({ name, spec }) => spec.kind === "vm" && !desired.get(name)).map(({ name }) => name);
}

/** Ends the switch and starts it again, with its ports; machines find it again by themselves. */
export async function restartSwitch(context: EngineContext, name: string, signal: AbortSignal): Promise<void> {
  await using _lock = await lockLab(context, name, "failover");
  const lab = await Lab.open(context, name);
  const steps: Action[] = [
    { kind: "stop-switch" },
    { kind: "start-switch" },
    { kind: "connect-ports", machines: lab.machines.map((machine) => machine.name) },
  ];
  await changeLab(context, lab.record, "restart the switch of", steps, signal);
}

/** The steps of `up` that follow the start of a machine. */
async function makeReady(lab: Lab, machines: readonly LabMachine[], signal: AbortSignal): Promise<void> {
  const steps = (["await-machine", "configure-stack", "check-link"] as const).flatMap((kind) =>
    machines.map(({ name }): Action => ({ kind, machine: name })),
  );
  await changeLab(lab.context, lab.record, "reset", steps, signal);
}

async function refuseUnlessRunning(machine: LabMachine): Promise<void> {
  const { status, detail } = await machine.observe();
  if (status === "running") return;
  throw new VnflabError("VNF_GUEST_COMMAND", `${machine.name} does not run: ${detail}`, {
    hint: "Run `vnflab up FILE`, which starts what does not run.",
  });
}
