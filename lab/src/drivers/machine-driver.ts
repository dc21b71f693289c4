/**
 * What a machine driver does, and what it is given.
 *
 * A spec is plain data, complete, and stored in the lab's state before the machine is started: `vnflab down`, `exec`
 * and `status` run in later processes and have nothing but the spec. What a driver must remember itself (a pid, a
 * daemon's socket) it writes into the spec's folders. Every method is safe to call in any state of the machine.
 */
import type { OutputStream, RunResult, SignalName } from "../host/exec.js";
import type { Host } from "../host/host.js";

interface CommonSpec {
  readonly lab: string;
  readonly machine: string;
  /** Folder of this machine alone, for logs and records; exists before start, removed with the lab. */
  readonly stateDir: string;
  /** Folder of the lab for sockets; short enough for sun_path; exists before start, removed with the lab. */
  readonly runDir: string;
  /** File that gets everything the machine prints. */
  readonly consoleLog: string;
  /** Folder of the applications, as the machine sees it. */
  readonly binDir: string;
  /** Folder for stack.conf and captures, as the machine sees it. */
  readonly workDir: string;
  /** Deadline of each rung of the readiness ladder, in milliseconds. */
  readonly deadlinesMs: Readonly<Record<RungName, number>>;
}

/** A libvirt domain. */
export interface VmSpec extends CommonSpec {
  readonly kind: "vm";
  /** `vnflab-<lab>-<machine>`, the same as in the XML. */
  readonly domainName: string;
  readonly domainXml: string;
  readonly accelerator: "kvm" | "tcg";
  /** libvirt URI; absent: the daemon that the lab starts privately below runDir. */
  readonly libvirtUri?: string;
  /** The serial console, to write to; absent when the template has none. */
  readonly consoleSocket?: string;
  /** MAC addresses of the data NICs, in order. */
  readonly macs: readonly string[];
}

/** The applications as plain processes of the host, over virtio_user. */
export interface ProcessSpec extends CommonSpec {
  readonly kind: "process";
  readonly env: Readonly<Record<string, string>>;
}

export type MachineSpec = VmSpec | ProcessSpec;
export type MachineKind = MachineSpec["kind"];

/** The rungs that a machine driver knows, bottom up; a driver has those that mean something for its machines. */
export type RungName = "running" | "console" | "agent" | "init" | "nic";

export type RungStatus =
  | { readonly reached: true; readonly detail?: string }
  /** Not yet; what was seen instead, for the error when the deadline passes. */
  | { readonly reached: false; readonly lastSeen: string };

export interface Rung {
  readonly name: RungName;
  readonly deadlineMs: number;
  /** Looks once. Throws a VnflabError when waiting longer makes no sense, such as when the machine has died. */
  probe(signal: AbortSignal): Promise<RungStatus>;
}

export interface MachineState {
  readonly status: "absent" | "running" | "dead";
  /** One line for people: "domain running since 12 s", "crashed: ...". */
  readonly detail: string;
  /** The host process that is the machine, where there is one. */
  readonly pid?: number;
}

export interface GuestCommand {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
  /** Called with output as it comes, at the latest when the command has ended. */
  readonly onOutput?: (stream: OutputStream, chunk: string) => void;
}

/** A command that runs inside a machine. */
export interface GuestProcess {
  signal(name: SignalName): Promise<void>;
  /** Exit code, and standard output and error apart. Throws when the machine is lost, never for a failing command. */
  wait(): Promise<RunResult>;
}

export interface MachineDriver<S extends MachineSpec = MachineSpec> extends AsyncDisposable {
  /** Starts the machine and returns as soon as it exists. Throws VnflabError with the relevant log's last lines. */
  start(spec: S, signal: AbortSignal): Promise<void>;
  /** Stops the machine and removes all of it outside stateDir and runDir. */
  stop(spec: S): Promise<void>;
  observe(spec: S): Promise<MachineState>;
  /** The readiness ladder of this machine, bottom up. */
  rungs(spec: S): readonly Rung[];
  exec(spec: S, command: GuestCommand): Promise<GuestProcess>;
  putFile(spec: S, path: string, content: Uint8Array): Promise<void>;
  getFile(spec: S, path: string): Promise<Uint8Array>;
  /** After the lab's last machine is stopped: ends what the driver itself keeps running below runDir. */
  release(runDir: string): Promise<void>;
}

/** How a driver is made: no work yet. Disposing a driver closes connections and leaves the machines running. */
export type MachineDriverFactory<S extends MachineSpec> = (host: Host) => MachineDriver<S>;
