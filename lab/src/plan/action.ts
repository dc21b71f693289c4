/** What a lab's life consists of: one thing done to the switch or to one machine. */

export type Action =
  /** Processes of an interrupted command that no record names; those of `machines`, and the switch's, are known. */
  | { readonly kind: "clear-strays"; readonly machines: readonly string[]; readonly switch: boolean }
  | { readonly kind: "start-switch" }
  | { readonly kind: "connect-ports"; readonly machines: readonly string[] }
  | { readonly kind: "start-machine"; readonly machine: string }
  | { readonly kind: "await-machine"; readonly machine: string }
  | { readonly kind: "configure-stack"; readonly machine: string }
  | { readonly kind: "check-link"; readonly machine: string }
  | { readonly kind: "stop-machine"; readonly machine: string }
  | { readonly kind: "stop-switch" }
  | { readonly kind: "remove-lab" };

/** One line for people. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case "clear-strays":
      return "end what an interrupted command has left";
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
