/**
 * The stack in each design against the guest's kernel, over the same vports and in the same run. Each row is measured in
 * rounds: the kernel, then each design, then the kernel again, so that what changes on the host hits both sides alike.
 */

import { join } from "node:path";
import { giveCardsToStack, lendCardsToKernel, noKernelCards } from "../../engine/card.js";
import { checkEffective } from "../../engine/check-effective.js";
import { describeHost } from "../../engine/describe-host.js";
import type { Lab, LabMachine } from "../../engine/lab.js";
import type { Distribution } from "../../model/distribution.js";
import { asVnflabError, VnflabError } from "../../model/error.js";
import { firstNic } from "../../model/topology.js";
import { measure } from "../measure.js";
import { sharesCpus, stackOf } from "./designs.js";
import { type BenchResults, type BenchRow, type Pair, summarise } from "./results.js";
import { type Load, planOf, quantityOf, type Row } from "./rows.js";

export interface BenchOptions extends Load {
  readonly rows: readonly Row[];
  readonly designs: readonly Distribution[];
  /** Rounds; a figure is the median of so many. */
  readonly runs: number;
  /** Where results.json goes; absent: below the state folder. */
  readonly folder?: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

interface Figure {
  /** NaN when the programs have not said. */
  readonly value: number;
  /** What was not as it should be; none: the value counts. */
  readonly problems: readonly string[];
}

export async function runBench(running: Lab, options: BenchOptions): Promise<BenchResults> {
  const lab = running.patient(options.deadlineMs);
  const { host, layout } = lab.context;
  const [client, server] = lab.machines;
  if (!client || !server) {
    throw new VnflabError("VNF_USAGE", `lab "${lab.record.lab}" has one machine; a bench needs two`, {
      hint: "Give a lab with two machines, such as two-vms.",
    });
  }
  await checkEffective(lab);
  const startedAt = host.clock.wallTime().toISOString();
  const stamp = startedAt.replaceAll(":", "").replace(/\..*/, "");
  const folder = options.folder ?? join(layout.stateRoot, "results", `bench-${lab.record.lab}-${stamp}`);
  const noKernel = noKernelCards(lab);
  const bench = new Bench(lab, client, server, options, noKernel === undefined);
  const rows: BenchRow[] = [];
  try {
    // A bench that was killed may have left them with the kernel.
    await giveCardsToStack([client, server]);
    for (const row of options.rows) rows.push(...(await bench.row(row)));
  } finally {
    await Promise.all([client, server].map((machine) => machine.configureStack()));
  }
  const results: BenchResults = {
    schemaVersion: 1,
    lab: lab.record.lab,
    startedAt,
    host: await describeHost(host),
    notes: notesOf(lab, noKernel),
    rows,
    folder,
  };
  await host.files.write(join(folder, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  return results;
}

function notesOf({ record }: Lab, noKernel: string | undefined): string[] {
  const emulated = record.machines.some((spec) => spec.kind === "vm" && spec.accelerator === "tcg");
  const shared = record.deployment.oversubscribed;
  const why = [...(shared ? ["oversubscribed"] : []), ...(emulated ? ["TCG"] : [])].join("/");
  return [
    ...(why === "" ? [] : [`${why}: absolute figures not comparable`]),
    ...(noKernel === undefined ? [] : [`no kernel side: ${noKernel}`]),
  ];
}

class Bench {
  constructor(
    private readonly lab: Lab,
    private readonly client: LabMachine,
    private readonly server: LabMachine,
    private readonly options: BenchOptions,
    private readonly withKernel: boolean,
  ) {}

  /** One row of the table for each design. */
  async row(row: Row): Promise<BenchRow[]> {
    const designs = this.options.designs.map((design) => ({ design, pairs: [] as Pair[], problems: [] as string[] }));
    for (let run = 1; run <= this.options.runs; run++) {
      const kernel = this.withKernel ? await this.kernel(row, run) : undefined;
      for (const { design, pairs, problems } of designs) {
        const ours = await this.ours(row, design, run);
        pairs.push({ ours: figureOf(ours), kernel: kernel ? figureOf(kernel) : null });
        for (const [side, measured] of [["kernel", kernel] as const, ["ours", ours] as const]) {
          problems.push(...(measured?.problems ?? []).map((problem) => `run ${run}, ${side}: ${problem}`));
        }
      }
    }
    return designs.map(({ design, pairs, problems }) => {
      const { allocated } = this.server;
      const stack = stackOf(allocated, design);
      const { name, unit } = row;
      const { cores, workers } = stack;
      const shape = {
        design,
        workers,
        cores,
        queues: firstNic(allocated).queues,
        sharesCpus: sharesCpus(allocated, stack),
      };
      return { name, unit, ...shape, ...summarise(pairs, this.withKernel), problems };
    });
  }

  /** On all CPUs of the guest, with as many threads as it has. */
  private async kernel(row: Row, run: number): Promise<Figure> {
    return this.attempt(`${row.name}: kernel, run ${run}`, async () => {
      const stack = (it: LabMachine) => ({ ...stackOf(it.allocated, "shared"), kind: "kernel" as const });
      const machines = [this.client, this.server].map((it) => it.withStack(stack(it)));
      await Promise.all(machines.map((machine) => machine.configureStack()));
      await using _cards = await lendCardsToKernel(machines);
      return await this.measure(row, machines);
    });
  }

  private async ours(row: Row, design: Distribution, run: number): Promise<Figure> {
    return this.attempt(`${row.name}: ${design}, run ${run}`, async () => {
      const machines = [this.client, this.server].map((it) => it.withStack(stackOf(it.allocated, design)));
      await Promise.all(machines.map((machine) => machine.configureStack()));
      return this.measure(row, machines);
    });
  }

  private async measure(row: Row, [client, server]: LabMachine[]): Promise<Figure> {
    const { deadlineMs, signal } = this.options;
    const ends = { client: client as LabMachine, server: server as LabMachine };
    const { values, problems } = await measure(planOf(row, this.options), ends, { deadlineMs, signal });
    return { value: values[quantityOf(row)] ?? Number.NaN, problems };
  }

  /** A run that fails leaves a gap and its reason; an interruption ends the bench. */
  private async attempt(title: string, work: () => Promise<Figure>): Promise<Figure> {
    const { emit, host } = this.lab.context;
    const started = host.clock.now();
    this.options.signal.throwIfAborted();
    emit({ type: "case-started", case: title });
    const measured = await work().catch((thrown): Figure => {
      this.options.signal.throwIfAborted();
      const { message, log } = asVnflabError(thrown);
      const words = log ? `: ${log.lines.slice(-3).join(" / ")}` : "";
      return { value: Number.NaN, problems: [message + words] };
    });
    const failed = measured.problems.length > 0;
    emit({
      type: "case-done",
      case: title,
      status: failed ? "failed" : "passed",
      seconds: (host.clock.now() - started) / 1000,
      message: failed ? measured.problems.join("; ") : String(measured.value),
    });
    return measured;
  }
}

function figureOf({ value, problems }: Figure): number | null {
  return problems.length === 0 ? value : null;
}
