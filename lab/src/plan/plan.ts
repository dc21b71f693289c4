/** (desired, observed) -> actions. Pure: nothing here looks at the host; `up --dry-run` prints the result. */

export type Presence = "absent" | "running" | "dead";

export interface Desired {
  readonly machines: readonly string[];
  /** Equal fingerprints: nothing that matters has changed since the lab was deployed. */
  readonly fingerprint: string;
}

export interface Observed {
  readonly switch: Presence;
  /** Every machine that the lab's record knows, in order. */
  readonly machines: Readonly<Record<string, Presence>>;
  /** Of what was deployed; absent when nothing was. */
  readonly fingerprint?: string;
}

export type Action =
  | { readonly kind: "start-switch" }
  | { readonly kind: "connect-ports"; readonly machines: readonly string[] }
  | { readonly kind: "start-machine"; readonly machine: string }
  | { readonly kind: "await-machine"; readonly machine: string }
  | { readonly kind: "configure-stack"; readonly machine: string }
  | { readonly kind: "check-link"; readonly machine: string }
  | { readonly kind: "stop-machine"; readonly machine: string }
  | { readonly kind: "stop-switch" }
  | { readonly kind: "remove-lab" };

/** Nothing observed. */
export const NOTHING: Observed = { switch: "absent", machines: {} };

export function planUp(desired: Desired, observed: Observed): Action[] {
  const unchanged = observed.fingerprint === desired.fingerprint;
  const keep = unchanged && observed.switch === "running";
  const running = (machine: string) => keep && observed.machines[machine] === "running";
  // A machine whose switch is gone or whose lab has changed has lost its port: it starts anew.
  const leftOver = Object.keys(observed.machines).filter(
    (machine) => observed.machines[machine] !== "absent" && !running(machine),
  );
  const missing = desired.machines.filter((machine) => !running(machine));
  const each = (kind: "start-machine" | "await-machine" | "configure-stack" | "check-link"): Action[] =>
    missing.map((machine) => ({ kind, machine }));
  return [
    ...stopMachines(leftOver),
    ...(keep || observed.switch === "absent" ? [] : [{ kind: "stop-switch" } as const]),
    ...(keep
      ? []
      : [{ kind: "start-switch" } as const, { kind: "connect-ports", machines: desired.machines } as const]),
    ...each("start-machine"),
    ...each("await-machine"),
    ...each("configure-stack"),
    ...each("check-link"),
  ];
}

/** Everything that may exist is stopped, whatever was observed: stopping what is not there is no error. */
export function planDown(machines: readonly string[]): Action[] {
  return [...stopMachines(machines), { kind: "stop-switch" }, { kind: "remove-lab" }];
}

/** Machines stop before their switch, the last one first. */
function stopMachines(machines: readonly string[]): Action[] {
  return machines.toReversed().map((machine) => ({ kind: "stop-machine", machine }));
}

/** One line for people. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case "start-switch":
      return "start the switch";
    case "connect-ports":
      return `connect a port for each of ${action.machines.join(", ")}`;
    case "start-machine":
      return `start ${action.machine}`;
    case "await-machine":
      return `wait until ${action.machine} is ready`;
    case "configure-stack":
      return `configure the stack of ${action.machine}`;
    case "check-link":
      return `check the link of ${action.machine}`;
    case "stop-machine":
      return `stop ${action.machine}`;
    case "stop-switch":
      return "stop the switch";
    case "remove-lab":
      return "remove the lab's sockets and records";
  }
}
