/**
 * The applications as processes of the host, over virtio_user. Such a machine is a folder: it "runs" while its record
 * exists, and every command in it is a process of its own whose identity is recorded, so that none outlives the machine.
 */
import { dirname, join } from "node:path";
import type { ChildProcess, ProcessIdentity, SignalName } from "../../host/exec.js";
import type { Host } from "../../host/host.js";
import { findMarkedProcesses, stopProcesses } from "../../host/marked-processes.js";
import { VnflabError } from "../../model/error.js";
import type {
  GuestCommand,
  GuestProcess,
  MachineControl,
  MachineDriver,
  MachineDriverFactory,
  MachineState,
  ProcessSpec,
  Rung,
  Terminal,
} from "../machine-driver.js";
import { pausedError } from "../paused-error.js";

const STOP_GRACE_MS = 3000;

export const processMachines: MachineDriverFactory<ProcessSpec> = (host) => new ProcessMachineDriver(host);

export class ProcessMachineDriver implements MachineDriver<ProcessSpec> {
  constructor(private readonly host: Host) {}

  readonly control: MachineControl<ProcessSpec> = {
    pause: async (spec) => {
      await this.requireStarted(spec);
      await this.host.files.write(pausedMark(spec), "");
      await this.signalAll(spec, "SIGSTOP");
    },
    resume: async (spec) => {
      await this.requireStarted(spec);
      await this.signalAll(spec, "SIGCONT");
      await this.host.files.remove(pausedMark(spec));
    },
    reset: (spec) => cannot(spec, "be reset: it is processes of the host"),
    save: (spec) => cannot(spec, "be saved: it is processes of the host"),
    restore: (spec) => cannot(spec, "be restored: it is processes of the host"),
  };

  async start(spec: ProcessSpec): Promise<void> {
    if ((await this.host.files.kind(spec.binDir)) !== "directory") {
      throw new VnflabError("VNF_NOT_BUILT", `the applications are not built: there is no folder ${spec.binDir}`);
    }
    await this.host.files.makeDirectory(spec.workDir);
    await this.host.files.write(recordOf(spec), "{}\n");
  }

  async stop(spec: ProcessSpec): Promise<void> {
    const { exec, files } = this.host;
    // One that stands still would not hear that it shall end.
    await this.signalAll(spec, "SIGCONT");
    await files.remove(pausedMark(spec));
    await Promise.all((await this.processes(spec)).map((process) => exec.stop(process, STOP_GRACE_MS)));
    await this.stopBackground(spec);
    await files.remove(processesOf(spec));
    await files.remove(recordOf(spec));
  }

  async observe(spec: ProcessSpec): Promise<MachineState> {
    if ((await this.host.files.kind(recordOf(spec))) === undefined) return { status: "absent", detail: "not started" };
    const recorded = await this.processes(spec);
    const alive = await Promise.all(recorded.map((process) => this.host.exec.isAlive(process)));
    const pids = recorded.filter((_, index) => alive[index]).map(({ pid }) => pid);
    const running = { status: "running", pids } as const;
    if (await this.isPaused(spec)) return { ...running, paused: true, detail: "paused" };
    return { ...running, detail: pids.length === 0 ? "no application runs" : `${pids.length} application(s) run` };
  }

  async liveXml(): Promise<undefined> {}

  rungs(spec: ProcessSpec): readonly Rung[] {
    const probe: Rung["probe"] = async () => {
      const { status, detail } = await this.observe(spec);
      return status === "running" ? { reached: true } : { reached: false, lastSeen: detail };
    };
    return [{ name: "running", deadlineMs: spec.deadlinesMs.running, probe }];
  }

  async exec(spec: ProcessSpec, command: GuestCommand): Promise<GuestProcess> {
    const { files } = this.host;
    if (await this.isPaused(spec)) throw pausedError(spec, "run a command");
    await this.requireBuilt(spec, command.argv[0] ?? "");
    let logged: Promise<void> = Promise.resolve();
    const onOutput: GuestCommand["onOutput"] = (stream, chunk) => {
      logged = logged.then(() => files.append(spec.consoleLog, chunk));
      command.onOutput?.(stream, chunk);
    };
    const child = await this.host.exec.spawn(command.argv, {
      cwd: spec.workDir,
      env: { ...spec.env, ...command.env },
      onOutput,
      ...(command.input === undefined ? {} : { input: command.input }),
    });
    const record = join(processesOf(spec), String(child.identity.pid));
    await files.write(record, JSON.stringify(child.identity));
    return { signal: async (name) => child.signal(name), wait: () => this.ended(child, record, () => logged) };
  }

  terminal(spec: ProcessSpec): Terminal {
    return { kind: "program", argv: ["sh", "-i"], cwd: spec.workDir, env: spec.env };
  }

  async putFile(_spec: ProcessSpec, path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    await this.host.files.write(path, content);
  }

  async *readFile(_spec: ProcessSpec, path: string): AsyncGenerator<Uint8Array> {
    if ((await this.host.files.kind(path)) !== "file") throw noFile(path);
    yield* this.host.files.chunks(path);
  }

  async getFile(_spec: ProcessSpec, path: string): Promise<Uint8Array> {
    const content = await this.host.files.readBytes(path);
    if (!content) throw noFile(path);
    return content;
  }

  async release(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  private async isPaused(spec: ProcessSpec): Promise<boolean> {
    return (await this.host.files.kind(pausedMark(spec))) !== undefined;
  }

  /** What its commands have left running: no record names it, its environment does. */
  private async stopBackground({ runDir, machine }: ProcessSpec): Promise<void> {
    const found = await findMarkedProcesses(this.host, dirname(runDir));
    const own = found.filter((process) => process.runDir === runDir && process.machine === machine);
    await stopProcesses(this.host, own, STOP_GRACE_MS);
  }

  private async requireStarted(spec: ProcessSpec): Promise<void> {
    const { status, detail } = await this.observe(spec);
    if (status !== "running") throw new VnflabError("VNF_GUEST_COMMAND", `${spec.machine} does not run: ${detail}`);
  }

  private async signalAll(spec: ProcessSpec, name: SignalName): Promise<void> {
    await Promise.all((await this.processes(spec)).map((process) => this.host.exec.signal(process, name)));
  }

  private async requireBuilt(spec: ProcessSpec, program: string): Promise<void> {
    if (!program.startsWith(`${spec.binDir}/`) || (await this.host.files.kind(program)) === "file") return;
    throw new VnflabError("VNF_NOT_BUILT", `the application is not built: there is no file ${program}`);
  }

  private async ended(child: ChildProcess, record: string, logged: () => Promise<void>) {
    const result = await child.wait();
    await logged();
    await this.host.files.remove(record);
    return result;
  }

  private async processes(spec: ProcessSpec): Promise<ProcessIdentity[]> {
    const { files } = this.host;
    const names = await files.list(processesOf(spec));
    const texts = await Promise.all(names.map((name) => files.readText(join(processesOf(spec), name))));
    return texts.filter((text) => text !== undefined).map((text) => JSON.parse(text) as ProcessIdentity);
  }
}

function recordOf(spec: ProcessSpec): string {
  return join(spec.stateDir, "machine.json");
}

function processesOf(spec: ProcessSpec): string {
  return join(spec.stateDir, "processes");
}

/** There while the machine is paused. */
function pausedMark(spec: ProcessSpec): string {
  return join(spec.stateDir, "paused");
}

function noFile(path: string): VnflabError {
  return new VnflabError("VNF_GUEST_COMMAND", `there is no file ${path}`);
}

function cannot(spec: ProcessSpec, what: string): Promise<never> {
  return Promise.reject(new VnflabError("VNF_UNSUPPORTED", `${spec.machine} cannot ${what}`));
}
