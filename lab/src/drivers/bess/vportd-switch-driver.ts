/** vportd as a detached process of the lab's own, controlled over its unix socket. */
import { join } from "node:path";
import { MAX_PORTS } from "@vnflab/bess-pipelines";
import type { ProcessIdentity } from "../../host/exec.js";
import type { Host } from "../../host/host.js";
import { labMarks } from "../../host/marked-processes.js";
import type { Pipes } from "../../host/pipes.js";
import { NEVER, type Probed, waitFor } from "../../host/wait.js";
import { VnflabError } from "../../model/error.js";
import type { ImpairModel } from "../../model/topology.js";
import type {
  CapturePoint,
  LinkState,
  SwitchCapture,
  SwitchDriver,
  SwitchSpec,
  SwitchState,
} from "../switch-driver.js";
import type { BessConnector, BessControl } from "./bess-control.js";
import { openCapture } from "./capture-pipe.js";
import { clearStaleSocket } from "./stale-socket.js";
import { probePorts, SwitchRecord, SwitchSession } from "./switch-session.js";

const STOP_GRACE_MS = 5000;
const LOG_LINES = 20;

export class VportdSwitchDriver implements SwitchDriver {
  private readonly session: SwitchSession<BessControl>;
  private readonly record: SwitchRecord<ProcessIdentity>;

  constructor(
    private readonly host: Host,
    connector: BessConnector,
    private readonly pipes: Pipes,
  ) {
    this.session = new SwitchSession(host, connector, (...failed) => this.failure(...failed));
    this.record = new SwitchRecord(host);
  }

  async start(spec: SwitchSpec, signal: AbortSignal): Promise<void> {
    if (spec.ports.length > MAX_PORTS) {
      throw new VnflabError("VNF_SWITCH_PORTS", `a switch has ${MAX_PORTS} ports, this one needs ${spec.ports.length}`);
    }
    const { exec, files } = this.host;
    const program = join(this.host.root, "bess/switch/bin/vportd.js");
    if ((await files.kind(program)) !== "file") {
      throw new VnflabError("VNF_NOT_BUILT", `the switch is not built: there is no file ${program}`);
    }
    for (const address of [spec.address, ...spec.ports.map(({ socket }) => `unix:${socket}`)]) {
      await clearStaleSocket(this.host, address);
    }
    const process = await exec.startDaemon([this.host.node, program, ...vportdOptions(spec)], {
      logFile: spec.logFile,
      // DPDK keeps its run-time files there, which otherwise stay behind in /var/run/dpdk.
      env: { RUNTIME_DIRECTORY: spec.runDir, ...labMarks(spec.runDir) },
    });
    await this.record.write(spec, process);
    const probe = async (): Promise<Probed<true>> => {
      if (!(await exec.isAlive(process))) throw await this.failure(spec, "the switch ended while it was starting");
      if (await this.host.sockets.isListening(spec.address)) return { reached: true, value: true };
      return { reached: false, lastSeen: `nobody listens on ${spec.address}` };
    };
    await this.wait(probe, spec, spec.deadlinesMs.switch, signal);
    await this.session.talk(spec, signal, (control) => control.version());
  }

  async connect(spec: SwitchSpec, signal: AbortSignal): Promise<void> {
    await this.session.talk(spec, signal, (control) => control.forward(spec));
    await this.wait(() => probePorts(this.host, spec), spec, spec.deadlinesMs.ports, signal);
  }

  async observe(spec: SwitchSpec): Promise<SwitchState> {
    const process = await this.record.read(spec);
    if (!process) return { status: "absent", detail: "not started", ports: [] };
    const { pid } = process;
    if (!(await this.host.exec.isAlive(process))) {
      return { status: "dead", detail: `process ${pid} has ended`, pid, ports: [] };
    }
    try {
      const ports = await this.session.talk(spec, NEVER, (control) =>
        Promise.all(spec.ports.map(({ name }) => control.portState(name))),
      );
      return { status: "running", detail: `vportd on ${spec.address}`, pid, ports };
    } catch (error) {
      const detail = `process ${pid} does not answer: ${error instanceof Error ? error.message : error}`;
      return { status: "running", detail, pid, ports: [] };
    }
  }

  async impair(spec: SwitchSpec, link: string, impair: ImpairModel | undefined): Promise<void> {
    if (spec.kind !== "vportd") throw new VnflabError("VNF_UNSUPPORTED", "a bessd has no module that impairs links");
    await this.session.talk(spec, NEVER, (control) => control.impair(portsOf(spec, link), impair));
  }

  async linkState(spec: SwitchSpec, link: string): Promise<LinkState> {
    if (spec.kind !== "vportd") return { link, ports: [] };
    return { link, ...(await this.session.talk(spec, NEVER, (control) => control.impairment(portsOf(spec, link)))) };
  }

  async capture(spec: SwitchSpec, points: readonly CapturePoint[], signal: AbortSignal): Promise<SwitchCapture> {
    const begin = (fifo: string, name: string) =>
      this.session.talk(spec, signal, (control) => control.beginCapture(fifo, name, points));
    return openCapture(this.host, this.pipes, spec.runDir, (use) => this.session.talk(spec, NEVER, use), begin);
  }

  async stop(spec: SwitchSpec): Promise<void> {
    const process = await this.record.read(spec);
    if (process) await this.host.exec.stop(process, STOP_GRACE_MS);
    await this.record.remove(spec);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private async wait(probe: () => Promise<Probed<true>>, spec: SwitchSpec, deadlineMs: number, signal: AbortSignal) {
    const onDeadline = async (lastSeen: string) => {
      const message = `the switch is not ready after ${deadlineMs / 1000} s; last seen: ${lastSeen}`;
      return new VnflabError("VNF_NOT_READY", message, { log: await this.log(spec) });
    };
    await waitFor(this.host.clock, probe, { deadlineMs, signal, onDeadline });
  }

  private async failure(spec: SwitchSpec, message: string, cause?: unknown): Promise<VnflabError> {
    return new VnflabError("VNF_SWITCH_FAILED", message, { cause, log: await this.log(spec) });
  }

  private async log(spec: SwitchSpec) {
    return { file: spec.logFile, lines: await this.host.files.tail(spec.logFile, LOG_LINES) };
  }
}

function portsOf(spec: SwitchSpec, link: string): string[] {
  return spec.ports.filter((port) => port.link === link).map(({ name }) => name);
}

function vportdOptions(spec: SwitchSpec): string[] {
  return [
    ...["--listen", spec.address],
    ...["--core", String(spec.core)],
    ...["--hugepages", spec.hugepages],
    ...["--mem", String(spec.memoryMib)],
    ...["--file-prefix", spec.filePrefix],
  ];
}
