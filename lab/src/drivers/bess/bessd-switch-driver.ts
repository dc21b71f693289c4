/**
 * A bessd that runs already and is not ours. The lab's ports and modules stand in it under names with the lab's mark,
 * on a worker of their own; it is never started, stopped, reset, paused or resumed, and what is not marked is not
 * touched.
 */
import { basename } from "node:path";
import type { Host } from "../../host/host.js";
import type { Pipes } from "../../host/pipes.js";
import { NEVER, waitFor } from "../../host/wait.js";
import { VnflabError } from "../../model/error.js";
import type {
  CapturePoint,
  LinkState,
  SwitchCapture,
  SwitchDriver,
  SwitchSpec,
  SwitchState,
} from "../switch-driver.js";
import type { BessdConnector, BessdControl } from "./bessd-control.js";
import { openCapture } from "./capture-pipe.js";
import { clearStaleSocket } from "./stale-socket.js";
import { probePorts, SwitchRecord, SwitchSession } from "./switch-session.js";

/** What is kept of the lab's part of the daemon. */
interface Attached {
  readonly wid: number;
}

export class BessdSwitchDriver implements SwitchDriver {
  private readonly session: SwitchSession<BessdControl>;
  private readonly record: SwitchRecord<Attached>;

  constructor(
    private readonly host: Host,
    connector: BessdConnector,
    private readonly pipes: Pipes,
  ) {
    const failure = (_: SwitchSpec, message: string, cause: unknown) =>
      new VnflabError("VNF_SWITCH_FAILED", message, { cause });
    this.session = new SwitchSession(host, connector, failure);
    this.record = new SwitchRecord(host);
  }

  /** Looks whether there is room for the lab; nothing is made yet. */
  async start(spec: SwitchSpec, signal: AbortSignal): Promise<void> {
    await this.session.talk(spec, signal, async (control) => {
      await control.version();
      const { ports, modules } = await control.names(markOf(spec));
      const first = [...ports, ...modules][0];
      if (first !== undefined) {
        throw new VnflabError("VNF_SWITCH_NAMES", `the bessd at ${spec.address} has "${first}" already`);
      }
      await this.record.write(spec, { wid: await control.freeWorker() });
    });
    for (const { socket } of spec.ports) await clearStaleSocket(this.host, `unix:${socket}`);
  }

  async connect(spec: SwitchSpec, signal: AbortSignal): Promise<void> {
    const attached = await this.record.read(spec);
    if (!attached) throw new VnflabError("VNF_INTERNAL", "ports are connected before the switch was looked at");
    await this.session.talk(spec, signal, async (control) => {
      // Of an earlier wiring of this lab; start() has refused what is not.
      await control.detach(markOf(spec), attached.wid);
      await control.attach(markOf(spec), spec, attached.wid);
    });
    const { ports: deadlineMs } = spec.deadlinesMs;
    const onDeadline = (lastSeen: string) =>
      new VnflabError("VNF_NOT_READY", `the switch is not ready after ${deadlineMs / 1000} s; last seen: ${lastSeen}`);
    await waitFor(this.host.clock, () => probePorts(this.host, spec, " on this host"), {
      deadlineMs,
      signal,
      onDeadline,
    });
  }

  /** Dead is a daemon that does not answer, and one that has lost the lab's ports. */
  async observe(spec: SwitchSpec): Promise<SwitchState> {
    if (!(await this.record.read(spec))) return { status: "absent", detail: "not attached", ports: [] };
    try {
      const ports = await this.session.talk(spec, NEVER, (control) =>
        Promise.all(spec.ports.map(async ({ name }) => ({ ...(await control.portState(bessName(spec, name))), name }))),
      );
      return { status: "running", detail: `attached to the bessd at ${spec.address}`, ports };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { status: "dead", detail: `the bessd at ${spec.address}: ${why}`, ports: [] };
    }
  }

  async impair(): Promise<void> {
    throw new VnflabError("VNF_UNSUPPORTED", "a bessd has no module that impairs links");
  }

  async linkState(_spec: SwitchSpec, link: string): Promise<LinkState> {
    return { link, ports: [] };
  }

  async capture(spec: SwitchSpec, points: readonly CapturePoint[], signal: AbortSignal): Promise<SwitchCapture> {
    const named = points.map((point) => ({ ...point, port: bessName(spec, point.port) }));
    const begin = (fifo: string, name: string) =>
      this.session.talk(spec, signal, (control) => control.beginCapture(fifo, name, named));
    return openCapture(this.host, this.pipes, spec.runDir, (use) => this.session.talk(spec, NEVER, use), begin);
  }

  /** A daemon that is not there any more has nothing of ours either. */
  async stop(spec: SwitchSpec): Promise<void> {
    const attached = await this.record.read(spec);
    if (attached && (await this.host.sockets.isListening(spec.address))) {
      await this.session.talk(spec, NEVER, (control) => control.detach(markOf(spec), attached.wid));
    }
    await this.record.remove(spec);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Unlike the lab's name it differs between two state folders. */
function markOf(spec: SwitchSpec): string {
  return basename(spec.runDir);
}

function bessName(spec: SwitchSpec, port: string): string {
  return `${markOf(spec)}.${port}`;
}
