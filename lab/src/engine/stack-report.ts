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

/** What the counters of a stack have gained while it ran. */
export interface StackGain {
  /** Between the two looks. */
  readonly seconds: number;
  /** The later look. */
  readonly report: StackReport;
  /** With what each counter has gained in place of what it stands at. */
  readonly threads: readonly StackThread[];
}

type ReportLine = StackReport & { readonly port: string; readonly seconds: number };

/** Counters stand as they are; rates, which need time to pass, are left to people. */
const SHORTEST_S = 0.01;

/** Throws VNF_GUEST_COMMAND when no stack runs on the machine's card. */
export async function readStackReport(machine: LabMachine): Promise<StackReport> {
  const [report] = await read(machine, SHORTEST_S, 1);
  return report as ReportLine;
}

/** Looks after `seconds` and again after as long. Throws VNF_GUEST_COMMAND when a stack does not run for so long. */
export async function readStackGain(machine: LabMachine, seconds: number): Promise<StackGain> {
  const [before, report] = (await read(machine, seconds, 2)) as [ReportLine, ReportLine];
  const threads = report.threads.map((thread, index) => {
    const earlier = before.threads[index];
    const gain = (name: string, value: number) => value - (earlier?.counters[name] ?? 0);
    const counters = Object.entries(thread.counters).map(([name, value]) => [name, gain(name, value)] as const);
    return {
      ...thread,
      drops: thread.drops - (earlier?.drops ?? 0),
      counters: Object.fromEntries(counters),
    };
  });
  return { seconds: report.seconds, report, threads };
}

async function read(machine: LabMachine, seconds: number, count: number): Promise<ReportLine[]> {
  const argv = [`${machine.spec.binDir}/mtcpstat`, "-i", String(seconds), "-n", String(count), "--json"];
  const { stdout, stderr } = await machine.run(argv);
  const { mac, socket } = firstNic(machine.allocated);
  // A process machine shares its host with others, so all their stacks are seen.
  const own = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as ReportLine)
    .filter(({ port }) => port === mac || port.includes(`path=${socket},`));
  if (own.length >= count) return own;
  throw new VnflabError("VNF_GUEST_COMMAND", `mtcpstat sees no stack of ${machine.name}: ${stderr.trim()}`, {
    hint: "A stack is seen while an application runs on it.",
  });
}
