/** Captures frames of a machine or a link while the lab runs. */
import { compileFilter, type PacketFilter } from "../drivers/pcap/packet-filter.js";
import type { CapturePoint, SwitchCapture } from "../drivers/switch-driver.js";
import { VnflabError } from "../model/error.js";
import { didYouMean } from "../model/suggest.js";
import type { EngineContext } from "./context.js";
import { type Block, BlockSplitter, frameOf } from "./pcapng-blocks.js";
import { isOnAnotherHost } from "./place-of-lab.js";
import { type LabRecord, requireRecord } from "./record.js";

/** How long the switch may take to write what it still has. */
const END_MS = 5000;

export interface CaptureOptions {
  /** Ends the capture, which is no failure. */
  readonly signal: AbortSignal;
  readonly maxPackets?: number;
  /** In the language of pcap-filter(7); what it does not accept is neither passed on nor counted. */
  readonly filter?: string;
  readonly durationMs?: number;
}

export interface CaptureSummary {
  readonly ports: readonly string[];
  readonly packets: number;
  /** Frames that were not captured because this end was too slow. */
  readonly dropped: number;
}

/**
 * A machine is both directions of all its ports, `machine.1` of one of them (`machine.0` is the first). A link is what
 * each of its ports receives: every frame once, at the port of its sender.
 */
export function capturePoints(record: LabRecord, target: string): CapturePoint[] {
  const { machines } = record.deployment;
  const both = (ports: readonly string[]) => ports.map((port) => ({ port, sent: true }));
  const machine = machines.find(({ name }) => name === target);
  if (machine) return both(machine.nics.map(({ port }) => port));
  const nic = machines.flatMap(({ name, nics }) => nics.map(({ port }, n) => ({ name: `${name}.${n}`, port })));
  const one = nic.find(({ name }) => name === target);
  if (one) return both([one.port]);
  const ofLink = machines.flatMap(({ nics }) => nics.filter(({ link }) => link === target));
  if (ofLink.length > 0) return ofLink.map(({ port }) => ({ port, sent: false }));
  const known = [...machines.map(({ name }) => name), ...record.deployment.links.map(({ name }) => name)];
  throw new VnflabError(
    "VNF_LAB_UNKNOWN",
    `lab "${record.lab}" has no machine, interface or link "${target}"${didYouMean(target, known)}; it has ${known.join(", ")}`,
  );
}

/** The switch writes into a pipe, which both ends must have on one host; a container shares its folders with this one. */
function refuseElsewhere({ lab, switch: { place } }: LabRecord): void {
  if (!isOnAnotherHost(place)) return;
  throw new VnflabError("VNF_UNSUPPORTED", `the switch of "${lab}" is on another host, from where no capture comes`, {
    hint: "Run the lab with vnflab on that host itself, with `host: local`, and capture there.",
  });
}

/** A capture under way. Whoever reads `content` reads it to its end or breaks off; then summary() tells the rest. */
export class Capture {
  private readonly ended = new AbortController();
  private stopping: Promise<void> | undefined;
  private brokeOff = false;
  private packets = 0;
  private dropped = 0;

  private constructor(
    private readonly context: EngineContext,
    private readonly points: readonly CapturePoint[],
    private readonly running: SwitchCapture,
    private readonly options: CaptureOptions,
    private readonly filter: PacketFilter | undefined,
  ) {}

  /** Throws VNF_USAGE for a filter that is none, VNF_CAPTURE or VNF_SWITCH_FAILED when it cannot begin. */
  static async begin(context: EngineContext, lab: string, target: string, options: CaptureOptions): Promise<Capture> {
    const record = await requireRecord(context.host.files, context.layout, lab);
    const points = capturePoints(record, target);
    refuseElsewhere(record);
    const filter = options.filter === undefined ? undefined : compileFilter(options.filter);
    try {
      const running = await context.switchDriver(record.switch).capture(record.switch, points, options.signal);
      return new Capture(context, points, running, options, filter);
    } catch (error) {
      filter?.[Symbol.dispose]();
      throw error;
    }
  }

  /** A whole pcapng, however it ends. */
  async *content(): AsyncGenerator<Uint8Array> {
    const { signal, durationMs } = this.options;
    const stop = () => void this.stop();
    signal.addEventListener("abort", stop, { once: true, signal: this.ended.signal });
    if (signal.aborted) stop();
    if (durationMs !== undefined) this.context.host.clock.delay(durationMs, this.ended.signal).then(stop, () => {});
    const splitter = new BlockSplitter();
    try {
      for await (const chunk of this.running.content) {
        yield this.wanted(splitter.push(chunk));
        if (this.packets >= this.maxPackets) stop();
      }
      this.brokeOff = this.stopping === undefined;
    } finally {
      await this.end();
    }
  }

  /** Throws VNF_CAPTURE when the switch ended before it was told to stop. */
  summary(): CaptureSummary {
    if (this.brokeOff) throw new VnflabError("VNF_CAPTURE", "the capture broke off: the switch has ended");
    return { ports: this.points.map(({ port }) => port), packets: this.packets, dropped: this.dropped };
  }

  private wanted(blocks: readonly Block[]): Uint8Array {
    const kept = blocks.filter((block) => {
      this.dropped += block.dropped ?? 0;
      if (!block.isPacket) return true;
      if (!this.accepts(block)) return false;
      if (this.packets >= this.maxPackets) return false;
      this.packets++;
      return true;
    });
    return Buffer.concat(kept.map(({ bytes }) => bytes));
  }

  private accepts(block: Block): boolean {
    if (!this.filter) return true;
    const { frame, length } = frameOf(block);
    return this.filter.accepts(frame, length);
  }

  private get maxPackets(): number {
    return this.options.maxPackets ?? Number.POSITIVE_INFINITY;
  }

  /** The hooks go, once; a switch that does not end the stream is not waited for long. */
  private stop(): Promise<void> {
    this.stopping ??= this.running.stop().catch(() => this.running.close());
    this.context.host.clock.delay(END_MS, this.ended.signal).then(
      () => this.running.close(),
      () => {},
    );
    return this.stopping;
  }

  private async end(): Promise<void> {
    if (!this.brokeOff) await this.stop();
    this.ended.abort();
    this.running.close();
    this.filter?.[Symbol.dispose]();
  }
}
