import { VnflabError } from "../model/error.js";
import type { MachineSpec } from "./machine-driver.js";

/** What a paused machine cannot do. */
export function pausedError(spec: MachineSpec, what: string): VnflabError {
  return new VnflabError("VNF_GUEST_COMMAND", `${spec.machine} is paused and cannot ${what}`, {
    hint: `Run \`vnflab resume ${spec.lab} ${spec.machine}\` first.`,
  });
}
