/** A running lab, for commands and suites: its machines, and what can be done in them. */
import { configureStack, stackConfPath } from "../drivers/configure-stack.js";
import type {
  GuestCommand,
  GuestProcess,
  MachineDriver,
  MachineSpec,
  MachineState,
  Terminal,
} from "../drivers/machine-driver.js";
import type { SwitchState } from "../drivers/switch-driver.js";
import type { RunResult } from "../host/exec.js";
import type { AllocatedMachine } from "../model/deployment.js";
import { asVnflabError } from "../model/error.js";
import { firstNic, type StackModel } from "../model/topology.js";
import { imagesOf } from "../render/effective-domain.js";
import { Application } from "./application.js";
import type { EngineContext } from "./context.js";
import { answerWithin, patientEngine } from "./patience.js";
import { type LabRecord, machineOf, requireRecord } from "./record.js";

/** Also for a folder that is packed to be copied. */
const RUN_MS = 600_000;
/** The same programs on the sockets of a kernel. */
const KERNEL_TWIN = "-kernel";

export class LabMachine {
  constructor(
    private readonly context: EngineContext,
    readonly spec: MachineSpec,
    readonly allocated: AllocatedMachine,
  ) {}

  get name(): string {
    return this.spec.machine;
  }

  /** Without the prefix length. */
  get address(): string {
    return firstNic(this.allocated).address.split("/")[0] ?? "";
  }

  get stackConf(): string {
    return stackConfPath(this.spec);
  }

  /** Writes the stack's configuration file; `pcap` names a file in the machine that gets every frame. */
  configureStack(options: { readonly pcap?: string } = {}): Promise<void> {
    return configureStack(this.driver, this.spec, this.allocated, options);
  }

  /** The same machine with another stack; the machine itself learns of it by configureStack(). */
  withStack(stack: StackModel): LabMachine {
    return new LabMachine(this.context, this.spec, { ...this.allocated, stack });
  }

  /** Starts an application on the machine's stack: its twin for the kernel where that is the machine's stack. */
  async start(application: string, options: readonly string[]): Promise<Application> {
    const twin = this.allocated.stack.kind === "kernel" && !application.endsWith(KERNEL_TWIN);
    const name = twin ? `${application}${KERNEL_TWIN}` : application;
    const common = ["-f", this.stackConf, "-N", String(this.allocated.stack.cores)];
    return Application.start(this.context.host.clock, this.driver, this.spec, name, [...options, ...common]);
  }

  exec(command: GuestCommand): Promise<GuestProcess> {
    return this.driver.exec(this.spec, command);
  }

  /** Runs a command of the lab's own to its end, which must come soon: a person's command goes by exec(). */
  async run(argv: readonly string[]): Promise<RunResult> {
    const process = await this.exec({ argv });
    const title = `end of ${this.name}: ${argv.join(" ")}`;
    try {
      return await answerWithin(this.context.host.clock, process.wait(), RUN_MS, title);
    } catch (error) {
      if (asVnflabError(error).code === "VNF_NO_ANSWER") void process.signal("SIGKILL").catch(() => {});
      throw error;
    }
  }

  putFile(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    return this.driver.putFile(this.spec, path, content);
  }

  /** In chunks: for files that may be too big for the memory. */
  readFile(path: string): AsyncIterable<Uint8Array> {
    return this.driver.readFile(this.spec, path);
  }

  getFile(path: string): Promise<Uint8Array> {
    return this.driver.getFile(this.spec, path);
  }

  observe(): Promise<MachineState> {
    return this.driver.observe(this.spec);
  }

  /** The domain as libvirt runs it; undefined for a machine that is none. */
  liveXml(): Promise<string | undefined> {
    return this.driver.liveXml(this.spec);
  }

  /** What it boots from and leaves as it is, on its host; nothing for a machine that is no domain. */
  async images(): Promise<string[]> {
    const xml = await this.liveXml();
    return xml === undefined ? [] : imagesOf(`the running domain of ${this.name}`, xml);
  }

  pause(): Promise<void> {
    return this.driver.control.pause(this.spec);
  }

  resume(): Promise<void> {
    return this.driver.control.resume(this.spec);
  }

  /** Its reset button; engine/control.ts has it ready again. */
  reset(): Promise<void> {
    return this.driver.control.reset(this.spec);
  }

  save(file: string): Promise<void> {
    return this.driver.control.save(this.spec, file);
  }

  restore(file: string): Promise<void> {
    return this.driver.control.restore(this.spec, file);
  }

  get terminal(): Terminal {
    return this.driver.terminal(this.spec);
  }

  private get driver(): MachineDriver {
    return this.context.machineDriver(this.spec);
  }
}

export class Lab {
  readonly machines: readonly LabMachine[];

  constructor(
    readonly context: EngineContext,
    readonly record: LabRecord,
  ) {
    this.machines = record.machines.map(({ machine }) => this.machine(machine));
  }

  static async open(context: EngineContext, name: string): Promise<Lab> {
    return new Lab(context, await requireRecord(context.host.files, context.layout, name));
  }

  /** The same lab, where every answer of a machine or of the switch must come within this time. */
  patient(deadlineMs: number): Lab {
    return new Lab(patientEngine(this.context, deadlineMs), this.record);
  }

  /** Throws VNF_LAB_UNKNOWN when there is none of that name. */
  machine(name: string): LabMachine {
    const { spec, allocated } = machineOf(this.record, name);
    return new LabMachine(this.context, spec, allocated);
  }

  /** Those of these names, in their order; all when none is named. */
  select(names: readonly string[] | undefined): readonly LabMachine[] {
    return names === undefined ? this.machines : [...new Set(names)].map((name) => this.machine(name));
  }

  switchState(): Promise<SwitchState> {
    return this.context.switchDriver(this.record.switch).observe(this.record.switch);
  }
}
