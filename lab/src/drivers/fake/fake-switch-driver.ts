/** A switch in memory, for tests of what is above the drivers. */
import type { FakeHost } from "../../host/fake-host.js";
import type { VnflabError } from "../../model/error.js";
import type { SwitchDriver, SwitchSpec, SwitchState } from "../switch-driver.js";

export class FakeSwitchDriver implements SwitchDriver {
  status: SwitchState["status"] = "absent";
  /** Whether the ports' links are up. */
  linkUp = true;
  readonly faults: { start?: VnflabError; connect?: VnflabError } = {};

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

  async stop(): Promise<void> {
    this.calls.push("stop switch");
    this.status = "absent";
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
