/** What a running stack shows of itself: `mtcpstat --json` inside the machine, while an application runs there. */
import { VnflabError } from "../model/error.js";
import { firstNic } from "../model/topology.js";
import type { LabMachine } from "./lab.js";

export interface StackThread {
  /** `worker`, those of 1kb and 2kb, and `interface`, which is none. */
  readonly kind: string;
  readonly index: number;
  /** All that this thread has dropped, whatever the reason. */
  readonly drops: number;
  /** `layer.counter`; those that are 0 are left out. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface StackReport {
  /** The design that runs, and why this one. */
  readonly distribution: string;
  readonly reason: string;
  readonly workers: number;
  readonly dedicated: number;
  readonly queues: number;
  readonly threads: readonly StackThread[];
}

/** Counters stand as they are; rates, which need time to pass, are left to people. */
const SHORTEST_S = "0.01";

/** Throws VNF_GUEST_COMMAND when no stack runs on the machine's card. */
export async function readStackReport(machine: LabMachine): Promise<StackReport> {
  const argv = [`${machine.spec.binDir}/mtcpstat`, "-i", SHORTEST_S, "-n", "1", "--json"];
  const { stdout, stderr } = await machine.run(argv);
  const { mac, socket } = firstNic(machine.allocated);
  // A process machine shares its host with others, so all their stacks are seen.
  const own = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as StackReport & { readonly port: string })
    .find(({ port }) => port === mac || port.includes(`path=${socket},`));
  if (own) return own;
  throw new VnflabError("VNF_GUEST_COMMAND", `mtcpstat sees no stack of ${machine.name}: ${stderr.trim()}`, {
    hint: "A stack is seen while an application runs on it.",
  });
}
