/** A switch in memory, for tests of what is above the drivers. */
import type { FakeHost } from "../../host/fake-host.js";
import type { VnflabError } from "../../model/error.js";
import type { ImpairModel } from "../../model/topology.js";
import type {
  CapturePoint,
  LinkState,
  SwitchCapture,
  SwitchDriver,
  SwitchSpec,
  SwitchState,
} from "../switch-driver.js";

export class FakeSwitchDriver implements SwitchDriver {
  status: SwitchState["status"] = "absent";
  /** Whether the ports' links are up. */
  linkUp = true;
  /** By link; what is not here is as the spec says. */
  readonly impairs = new Map<string, ImpairModel | undefined>();
  readonly faults: { start?: VnflabError; connect?: VnflabError; capture?: VnflabError } = {};
  /** What a capture gives. */
  captured: readonly Uint8Array[] = [];
  /** The switch ends during a capture. */
  captureEnds = false;

  constructor(
    private readonly host: FakeHost,
    /** Shared with the machine driver, so that a test sees the order of all. */
    readonly calls: string[] = [],
  ) {}

  async start(spec: SwitchSpec): Promise<void> {
    this.calls.push("start switch");
    if (this.faults.start) throw this.faults.start;
    await this.host.files.write(spec.logFile, "serving\n");
    this.status = "running";
  }

  async connect(spec: SwitchSpec): Promise<void> {
    this.calls.push("connect ports");
    if (this.faults.connect) throw this.faults.connect;
    this.impairs.clear();
    for (const { socket } of spec.ports) this.host.files.putSocket(socket);
  }

  async observe(spec: SwitchSpec): Promise<SwitchState> {
    const ports = this.status === "running" ? spec.ports : [];
    return {
      status: this.status,
      detail: `fake switch, ${this.status}`,
      ports: ports.map(({ name }) => ({ name, linkUp: this.linkUp, received: 0, sent: 0, dropped: 0 })),
    };
  }

  async impair(_spec: SwitchSpec, link: string, impair: ImpairModel | undefined): Promise<void> {
    this.impairs.set(link, impair);
  }

  async linkState(spec: SwitchSpec, link: string): Promise<LinkState> {
    const impair = this.impairs.has(link)
      ? this.impairs.get(link)
      : spec.links.find(({ name }) => name === link)?.impair;
    const zeros = {
      received: 0,
      lost: 0,
      limited: 0,
      delayed: 0,
      duplicated: 0,
      reordered: 0,
      held: 0,
      lateUs: 0,
      latestUs: 0,
    };
    const ports = spec.ports.filter((port) => port.link === link).map(({ name }) => ({ port: name, ...zeros }));
    return { link, ports, ...(impair ? { impair } : {}) };
  }

  /** Gives the chunks of `captured`, the last one only when it is stopped. */
  async capture(_spec: SwitchSpec, points: readonly CapturePoint[]): Promise<SwitchCapture> {
    this.calls.push(`capture ${points.map(({ port, sent }) => (sent ? `${port} both ways` : port)).join(", ")}`);
    if (this.faults.capture) throw this.faults.capture;
    const stopped = new AbortController();
    const { captured, captureEnds } = this;
    async function* content() {
      for (const chunk of captured.slice(0, -1)) yield chunk;
      if (!stopped.signal.aborted && !captureEnds)
        await new Promise((resolve) => stopped.signal.addEventListener("abort", resolve));
      yield* captured.slice(-1);
    }
    const stop = async () => {
      this.calls.push("stop capture");
      stopped.abort();
    };
    return { content: content(), stop, close: () => stopped.abort() };
  }

  async stop(): Promise<void> {
    this.calls.push("stop switch");
    this.status = "absent";
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
