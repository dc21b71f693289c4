/** (desired, observed) -> actions. Pure: nothing here looks at the host; `up --dry-run` prints the result. */
import type { Action } from "./action.js";
import type { Unfinished } from "./unfinished.js";

export type Presence = "absent" | "running" | "dead";

/** Equal fingerprints: nothing that matters has changed since it was deployed. */
export interface SwitchFingerprints {
  /** Of what its process is started with. */
  readonly process: string;
  /** Of its ports and of what joins them, which a running switch can change. */
  readonly wiring: string;
}

export interface DesiredMachine {
  readonly name: string;
  readonly fingerprint: string;
  /** It finds a switch that has been restarted by itself; any other starts anew with its switch. */
  readonly reconnects: boolean;
}

export interface Desired {
  readonly switch: SwitchFingerprints;
  readonly machines: readonly DesiredMachine[];
}

export interface ObservedMachine {
  readonly presence: Presence;
  /** Of what was deployed. */
  readonly fingerprint: string;
}

export interface Observed {
  readonly switch: { readonly presence: Presence; readonly fingerprints?: SwitchFingerprints };
  /** Every machine that the lab's record knows, in order. */
  readonly machines: Readonly<Record<string, ObservedMachine>>;
  /** Set when the last command that changed the lab did not come to its end: what it has left in doubt. */
  readonly unfinished?: Unfinished;
}

/** Nothing observed. */
export const NOTHING: Observed = { switch: { presence: "absent" }, machines: {} };

export function planUp(desired: Desired, observed: Observed): Action[] {
  const keepSwitch = switchStays(desired, observed);
  const rewire = !keepSwitch || observed.switch.fingerprints?.wiring !== desired.switch.wiring;
  const stays = (machine: DesiredMachine) => machineStays(machine, observed) && (keepSwitch || machine.reconnects);
  const kept = desired.machines.filter(stays).map(({ name }) => name);
  const missing = desired.machines.map(({ name }) => name).filter((name) => !kept.includes(name));
  const leftOver = Object.entries(observed.machines)
    .filter(([name, { presence }]) => presence !== "absent" && !kept.includes(name))
    .map(([name]) => name);
  const clear: Action = { kind: "clear-strays", machines: kept, switch: keepSwitch };
  return [
    ...(observed.unfinished ? [clear] : []),
    ...stopMachines(leftOver),
    ...(keepSwitch || observed.switch.presence === "absent" ? [] : [{ kind: "stop-switch" } as const]),
    ...(keepSwitch ? [] : [{ kind: "start-switch" } as const]),
    ...(rewire ? [{ kind: "connect-ports", machines: desired.machines.map(({ name }) => name) } as const] : []),
    ...bringUp(missing),
  ];
}

/** These machines alone, whatever they do. */
export function planRestart(machines: readonly string[]): Action[] {
  return [...stopMachines(machines), ...bringUp(machines)];
}

/**
 * What undoes an `up` that failed: machines that it has touched stop, and the switch, where it runs, is wired for those
 * that it has kept. A switch that does not run is cleared away, for the next `up` to start.
 */
export function planUndo(
  up: readonly Action[],
  { kept, switchRuns }: { readonly kept: readonly string[]; readonly switchRuns: boolean },
): Action[] {
  const touched = new Set(up.flatMap((action) => ("machine" in action ? [action.machine] : [])));
  const interrupted = up.some(({ kind }) => kind === "clear-strays");
  const rewire = up.some(({ kind }) => kind === "connect-ports");
  return [
    ...stopMachines([...touched]),
    ...(switchRuns ? [] : [{ kind: "stop-switch" } as const]),
    ...(switchRuns && rewire ? [{ kind: "connect-ports", machines: kept } as const] : []),
    ...(interrupted ? [{ kind: "clear-strays", machines: kept, switch: switchRuns } as const] : []),
  ];
}

/** Everything that may exist is stopped, whatever was observed: stopping what is not there is no error. */
export function planDown(machines: readonly string[]): Action[] {
  return [...stopMachines(machines), { kind: "stop-switch" }, { kind: "remove-lab" }];
}

function switchStays(desired: Desired, { switch: sw, unfinished }: Observed): boolean {
  if (sw.presence !== "running" || unfinished?.switch) return false;
  return sw.fingerprints?.process === desired.switch.process;
}

function machineStays({ name, fingerprint }: DesiredMachine, { machines, unfinished }: Observed): boolean {
  const seen = machines[name];
  return seen?.presence === "running" && seen.fingerprint === fingerprint && !unfinished?.machines.has(name);
}

/** All machines together from step to step. */
function bringUp(machines: readonly string[]): Action[] {
  const kinds = ["start-machine", "await-machine", "configure-stack", "check-link"] as const;
  return kinds.flatMap((kind) => machines.map((machine): Action => ({ kind, machine })));
}

/** Machines stop before their switch, the last one first. */
function stopMachines(machines: readonly string[]): Action[] {
  return machines.toReversed().map((machine) => ({ kind: "stop-machine", machine }));
}
