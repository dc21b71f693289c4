/** A machine in memory, for tests of what is above the drivers. Commands in it are the fake host's programs. */
import type { FakeHost } from "../../host/fake-host.js";
import { VnflabError } from "../../model/error.js";
import type {
  GuestCommand,
  GuestProcess,
  MachineDriver,
  MachineSpec,
  MachineState,
  Rung,
  RungName,
} from "../machine-driver.js";

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

  constructor(private readonly host: FakeHost) {}

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
  }

  async observe(spec: MachineSpec): Promise<MachineState> {
    const status = this.machines.get(spec.machine) ?? "absent";
    return { status, detail: `fake machine, ${status}` };
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

  async putFile(spec: MachineSpec, path: string, content: Uint8Array): Promise<void> {
    this.requireRunning(spec);
    this.guestFiles.set(`${spec.machine}:${path}`, content);
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

  private requireRunning(spec: MachineSpec): void {
    if (this.machines.get(spec.machine) !== "running") {
      throw new VnflabError("VNF_GUEST_COMMAND", `${spec.machine} is not running`);
    }
  }
}
