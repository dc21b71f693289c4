// SPDX-License-Identifier: BSD-3-Clause
import { type MessageRead, unpack } from "@vnflab/bess-proto";
import { invalid, unsupported } from "../errors.js";
import { gateList } from "./flow.js";
import { command, MAX_GATES, MAX_LANES, type ModuleClass } from "./module-class.js";

/** In the data plane's order. */
const MODES = ["l2", "l3", "l4"];
const DEFAULT_MODE = "l4";

/** The data plane's word for what a flow is. */
function modeOf({ mode, fields }: MessageRead<"HashLBCommandSetModeArg">): number {
  if (fields.length > 0) throw unsupported(`HashLB of vportd knows no fields: use mode ${MODES.join(", ")}`);
  const index = MODES.indexOf(mode === "" ? DEFAULT_MODE : mode);
  if (index < 0) throw invalid(`Invalid mode '${mode}': ${MODES.join(", ")} are available`);
  return index;
}

function sharesOf(gates: number[]): number[] {
  if (gates.length === 0) throw invalid("HashLB needs a gate or more");
  return gateList(gates, MAX_LANES, MAX_GATES);
}

export const hashLb: ModuleClass = {
  name: "HashLB",
  help: "spreads packets over the gates of a list by a hash of their flow",
  template: "hash_lb",
  igates: 1,
  ogates: MAX_GATES,
  commands: {
    set_mode: command("HashLBCommandSetModeArg", false, ({ id, plane }, arg) => {
      plane.command(id, "set_mode", [modeOf(arg)]);
    }),
    set_gates: command("HashLBCommandSetGatesArg", false, ({ id, plane }, { gates }) => {
      plane.command(id, "set_gates", sharesOf(gates));
    }),
  },
  create(_context, any) {
    const arg = unpack("HashLBArg", any);
    return { args: [modeOf(arg), ...sharesOf(arg.gates)] };
  },
};
