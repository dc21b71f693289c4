/** A machine in memory, for tests of what is above the drivers. Commands in it are the fake host's programs. */
import type { FakeHost } from "../../host/fake-host.js";
import { VnflabError } from "../../model/error.js";
import type {
  GuestCommand,
  GuestProcess,
  MachineControl,
  MachineDriver,
  MachineSpec,
  MachineState,
  Rung,
  RungName,
  Terminal,
} from "../machine-driver.js";
import { pausedError } from "../paused-error.js";

export interface FakeMachineFaults {
  /** start() fails. */
  readonly start?: VnflabError;
  /** This rung is never reached. */
  readonly rung?: RungName;
  /** The machine dies while this rung is awaited. */
  readonly dies?: RungName;
  /** stop() fails this many times. */
  stops?: number;
}

const RUNGS: readonly RungName[] = ["running", "console", "agent", "init", "nic"];

export class FakeMachineDriver implements MachineDriver {
  readonly machines = new Map<string, MachineState["status"]>();
  readonly faults = new Map<string, FakeMachineFaults>();
  /** What was called, in order: "start vm1". */
  readonly calls: string[] = [];
  private readonly guestFiles = new Map<string, Uint8Array>();
  private readonly commands = new Map<string, GuestProcess[]>();

  /** Machines that stand still. */
  readonly paused = new Set<string>();

  constructor(private readonly host: FakeHost) {}

  readonly control: MachineControl = {
    pause: async (spec) => {
      this.calls.push(`pause ${spec.machine}`);
      this.requireRunning(spec);
      this.paused.add(spec.machine);
    },
    resume: async (spec) => {
      this.calls.push(`resume ${spec.machine}`);
      this.requireRunning(spec);
      this.paused.delete(spec.machine);
    },
    reset: async (spec) => {
      this.calls.push(`reset ${spec.machine}`);
      this.requireRunning(spec);
      this.forgetFiles(spec);
    },
    save: async (spec, file) => {
      this.calls.push(`save ${spec.machine}`);
      this.requireRunning(spec);
      const own = [...this.guestFiles].filter(([path]) => path.startsWith(`${spec.machine}:`));
      const saved = own.map(([path, content]) => [path, Buffer.from(content).toString("base64")]);
      await this.host.files.write(file, JSON.stringify(saved));
      this.machines.set(spec.machine, "dead");
      this.paused.delete(spec.machine);
    },
    restore: async (spec, file) => {
      this.calls.push(`restore ${spec.machine}`);
      const text = await this.host.files.readText(file);
      if (text === undefined) throw new VnflabError("VNF_LIBVIRT", `cannot read ${file}`);
      this.forgetFiles(spec);
      for (const [path, content] of JSON.parse(text) as [string, string][]) {
        this.guestFiles.set(path, Buffer.from(content, "base64"));
      }
      this.machines.set(spec.machine, "running");
      this.paused.delete(spec.machine);
    },
  };

  async start(spec: MachineSpec): Promise<void> {
    this.calls.push(`start ${spec.machine}`);
    const fault = this.faults.get(spec.machine)?.start;
    if (fault) throw fault;
    await this.host.files.write(spec.consoleLog, `${spec.machine} boots\n`);
    this.machines.set(spec.machine, "running");
  }

  async stop(spec: MachineSpec): Promise<void> {
    this.calls.push(`stop ${spec.machine}`);
    const faults = this.faults.get(spec.machine);
    if (faults?.stops) {
      faults.stops--;
      throw new VnflabError("VNF_LIBVIRT", `${spec.machine} does not stop`);
    }
    for (const command of this.commands.get(spec.machine) ?? []) await command.signal("SIGKILL");
    this.machines.delete(spec.machine);
    this.paused.delete(spec.machine);
  }

  async observe(spec: MachineSpec): Promise<MachineState> {
    const status = this.machines.get(spec.machine) ?? "absent";
    const known = { status, detail: `fake machine, ${status}` };
    return this.paused.has(spec.machine) ? { ...known, paused: true } : known;
  }

  /** As defined, unless a test has changed it. */
  readonly liveXmls = new Map<string, string>();

  async liveXml(spec: MachineSpec): Promise<string | undefined> {
    return this.liveXmls.get(spec.machine) ?? (spec.kind === "vm" ? spec.domainXml : undefined);
  }

  rungs(spec: MachineSpec): readonly Rung[] {
    return RUNGS.map((name) => ({
      name,
      deadlineMs: spec.deadlinesMs[name],
      probe: async () => {
        const { rung, dies } = this.faults.get(spec.machine) ?? {};
        if (dies === name) {
          this.machines.set(spec.machine, "dead");
          throw new VnflabError("VNF_MACHINE_FAILED", `${spec.machine} has died`);
        }
        return rung === name ? { reached: false, lastSeen: `no ${name}` } : { reached: true };
      },
    }));
  }

  async exec(spec: MachineSpec, command: GuestCommand): Promise<GuestProcess> {
    this.requireRunning(spec);
    if (this.paused.has(spec.machine)) throw pausedError(spec, "run a command");
    const env = { VNFLAB_MACHINE: spec.machine, ...command.env };
    const child = await this.host.exec.spawn(command.argv, {
      env,
      ...(command.input ? { input: command.input } : {}),
      ...(command.onOutput ? { onOutput: command.onOutput } : {}),
    });
    const process: GuestProcess = { signal: async (name) => child.signal(name), wait: () => child.wait() };
    this.commands.set(spec.machine, [...(this.commands.get(spec.machine) ?? []), process]);
    return process;
  }

  terminal(spec: MachineSpec): Terminal {
    return { kind: "program", argv: ["sh", "-i"], cwd: spec.workDir, env: {} };
  }

  async putFile(spec: MachineSpec, path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    this.requireRunning(spec);
    if (content instanceof Uint8Array) {
      this.guestFiles.set(`${spec.machine}:${path}`, content);
      return;
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    this.guestFiles.set(`${spec.machine}:${path}`, Buffer.concat(chunks));
  }

  async *readFile(spec: MachineSpec, path: string): AsyncGenerator<Uint8Array> {
    yield await this.getFile(spec, path);
  }

  async getFile(spec: MachineSpec, path: string): Promise<Uint8Array> {
    const content = this.guestFiles.get(`${spec.machine}:${path}`);
    if (!content) throw new VnflabError("VNF_GUEST_COMMAND", `there is no file ${path} in ${spec.machine}`);
    return content;
  }

  async release(): Promise<void> {
    this.calls.push("release");
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  private forgetFiles(spec: MachineSpec): void {
    for (const path of this.guestFiles.keys()) {
      if (path.startsWith(`${spec.machine}:`)) this.guestFiles.delete(path);
    }
  }

  private requireRunning(spec: MachineSpec): void {
    if (this.machines.get(spec.machine) !== "running") {
      throw new VnflabError("VNF_GUEST_COMMAND", `${spec.machine} is not running`);
    }
  }
}
