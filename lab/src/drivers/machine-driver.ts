/**
 * What a machine driver does, and what it is given.
 *
 * A spec is plain data, complete, and stored in the lab's state before the machine is started: `vnflab down`, `exec`
 * and `status` run in later processes and have nothing but the spec. What a driver must remember itself (a pid, a
 * daemon's socket) it writes into the spec's folders. Every method is safe to call in any state of the machine.
 */
import type { OutputStream, RunResult, SignalName } from "../host/exec.js";
import type { Host } from "../host/host.js";
import type { Place } from "../model/topology.js";

interface CommonSpec {
  readonly lab: string;
  readonly machine: string;
  readonly place: Place;
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

/** Disk images of one machine alone. */
export interface VmDisks {
  /** Writable layers over images that stay as they are. */
  readonly overlays: readonly { readonly file: string; readonly backing: string; readonly backingFormat: string }[];
  /** A small read-only disk with these files, by name. */
  readonly seed?: { readonly file: string; readonly label: string; readonly content: Readonly<Record<string, string>> };
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
  /** Made before the machine starts, in its state folder. */
  readonly disks?: VmDisks;
  /** MAC addresses of the NICs that DPDK drives, in order; the kernel of the machine has the others. */
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
  /** It runs, but its processors stand still. */
  readonly paused?: boolean;
  /** The host process that is the machine, where there is one. */
  readonly pid?: number;
  /** All host processes of the machine, where they can be told. */
  readonly pids?: readonly number[];
}

export interface GuestCommand {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
  /** Called with output as it comes, at the latest when the command has ended. */
  readonly onOutput?: (stream: OutputStream, chunk: string) => void;
  /** Whoever waits for its end has a deadline for that. */
  readonly ownDeadline?: boolean;
}

/** A command that runs inside a machine. */
export interface GuestProcess {
  signal(name: SignalName): Promise<void>;
  /** Exit code, and standard output and error apart. Throws when the machine is lost, never for a failing command. */
  wait(): Promise<RunResult>;
}

/** What can be done to a machine as a whole while it runs. Throws VNF_UNSUPPORTED where the kind of machine cannot. */
export interface MachineControl<S extends MachineSpec = MachineSpec> {
  /** Its processors stand still until resume(); nothing when they do already. */
  pause(spec: S): Promise<void>;
  resume(spec: S): Promise<void>;
  /** As by its reset button: everything in its memory is lost, its console log goes on, and it boots. */
  reset(spec: S): Promise<void>;
  /** Writes memory and devices to a file of the host; the machine does not run any more then. */
  save(spec: S, file: string): Promise<void>;
  /** Goes on from such a file; what runs of the machine is ended first. */
  restore(spec: S, file: string): Promise<void>;
}

/** A shell with a terminal: a program of the host, or the machine's own console. */
export type Terminal =
  | { readonly kind: "program"; readonly argv: readonly string[]; readonly cwd: string; readonly env: Environment }
  | { readonly kind: "console"; readonly socket: string }
  | { readonly kind: "none"; readonly reason: string };

export type Environment = Readonly<Record<string, string>>;

export interface MachineDriver<S extends MachineSpec = MachineSpec> extends AsyncDisposable {
  readonly control: MachineControl<S>;
  /** Starts the machine and returns as soon as it exists. Throws VnflabError with the relevant log's last lines. */
  start(spec: S, signal: AbortSignal): Promise<void>;
  /** Stops the machine and removes all of it outside stateDir and runDir. */
  stop(spec: S): Promise<void>;
  observe(spec: S): Promise<MachineState>;
  /** The domain as libvirt runs it; undefined for what is none, and for one that is not there. */
  liveXml(spec: S): Promise<string | undefined>;
  /** The readiness ladder of this machine, bottom up. */
  rungs(spec: S): readonly Rung[];
  exec(spec: S, command: GuestCommand): Promise<GuestProcess>;
  /** Where somebody can type, and how. */
  terminal(spec: S): Terminal;
  /** A stream is written as it comes, so that its size does not matter. */
  putFile(spec: S, path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  getFile(spec: S, path: string): Promise<Uint8Array>;
  /** The same in chunks. Throws VNF_GUEST_COMMAND, like getFile, when there is no such file. */
  readFile(spec: S, path: string): AsyncIterable<Uint8Array>;
  /** After the lab's last machine is stopped: ends what the driver itself keeps running below runDir. */
  release(runDir: string): Promise<void>;
}

/** How a driver is made: no work yet. Disposing a driver closes connections and leaves the machines running. */
export type MachineDriverFactory<S extends MachineSpec> = (host: Host) => MachineDriver<S>;
