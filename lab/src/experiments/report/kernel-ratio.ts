/** Which cell of the kernel's stands beside a cell of ours. */
import type { Conditions, FactorName } from "../../model/experiment/experiment.js";
import type { Cell } from "../statistics/cells.js";

/** What the programs are asked to do, and by how many CPUs: must be the same, or a ratio says nothing. */
const ASKED: readonly FactorName[] = [
  ...(["workload", "payload", "connections", "load", "loss", "delay", "workers"] as const),
];
/** What the kernel has its own way for, or a choice of its own: the same where a cell with the same is there. */
const WISHED: readonly FactorName[] = ["offload", "cc", "queues", "burst", "ring"];

/** The kernel's cell under the same conditions; undefined when there is none, or several that are equally near. */
export function kernelTwin(cell: Cell, all: readonly Cell[]): Cell | undefined {
  if (cell.conditions.stack === "kernel") return undefined;
  let near = all.filter(
    ({ conditions, telemetry }) =>
      conditions.stack === "kernel" && telemetry === cell.telemetry && same(ASKED, conditions, cell.conditions),
  );
  for (const name of WISHED) {
    const nearer = near.filter(({ conditions }) => same([name], conditions, cell.conditions));
    if (nearer.length > 0) near = nearer;
  }
  return near.length === 1 ? near[0] : undefined;
}

function same(names: readonly FactorName[], a: Conditions, b: Conditions): boolean {
  return names.every((name) => a[name] === b[name]);
}
