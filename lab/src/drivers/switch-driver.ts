/** What a switch driver does, and what it is given. The spec is plain data and stored in the lab's state. */

import type { ImpairModel, LinkModel, Place } from "../model/topology.js";

export interface SwitchPortSpec {
  /** The machine's name; with `.1` for its second NIC. */
  readonly name: string;
  /** The link that it belongs to: ports of different links do not see each other. */
  readonly link: string;
  /** vhost-user socket on which the port listens. */
  readonly socket: string;
  readonly queues: number;
  /** Destinations that are forwarded to this port. */
  readonly macs: readonly string[];
}

export interface SwitchSpec {
  readonly kind: "vportd" | "bessd";
  readonly place: Place;
  readonly lab: string;
  /** Where the control protocol is served: `unix:/path`. */
  readonly address: string;
  readonly core: number;
  readonly memoryMib: number;
  readonly hugepages: "auto" | "on" | "off";
  readonly filePrefix: string;
  readonly stateDir: string;
  readonly runDir: string;
  readonly logFile: string;
  readonly links: readonly Pick<LinkModel, "name" | "spread" | "impair">[];
  readonly ports: readonly SwitchPortSpec[];
  readonly deadlinesMs: { readonly switch: number; readonly ports: number };
}

export interface PortState {
  readonly name: string;
  /** The machine's driver is attached. */
  readonly linkUp: boolean;
  /** Frames from the machine and to it, and those that it did not take. */
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
}

export interface SwitchState {
  readonly status: "absent" | "running" | "dead";
  readonly detail: string;
  readonly pid?: number;
  /** Empty unless running. */
  readonly ports: readonly PortState[];
}

/** What happened to the frames of one port on their way into a link, since the port was made. */
export interface PortImpairment {
  readonly port: string;
  /** Frames from the machine. */
  readonly received: number;
  /** Dropped by chance. */
  readonly lost: number;
  /** Dropped because the rate's queue, or the room for frames that wait, was full. */
  readonly limited: number;
  readonly delayed: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Waiting now. */
  readonly held: number;
  /** How much longer than asked for frames were delayed, because the switch had no processor: on average, at most. */
  readonly lateUs: number;
  readonly latestUs: number;
}

export interface LinkState {
  readonly link: string;
  /** Absent: frames pass as they are. */
  readonly impair?: ImpairModel;
  readonly ports: readonly PortImpairment[];
}

export interface CapturePoint {
  /** Name of a port. */
  readonly port: string;
  /** Also the frames to the machine, not only those from it. */
  readonly sent: boolean;
}

export interface SwitchCapture {
  /** A pcapng stream: until stop(), or until the switch ends. */
  readonly content: AsyncIterable<Uint8Array>;
  /** The switch writes what it still has, and the content ends. */
  stop(): Promise<void>;
  /** Gives up: the content ends at once. */
  close(): void;
}

export interface SwitchDriver extends AsyncDisposable {
  /** Starts the switch and waits until it answers. */
  start(spec: SwitchSpec, signal: AbortSignal): Promise<void>;
  /** Makes the ports and joins them; waits until their sockets are there. */
  connect(spec: SwitchSpec, signal: AbortSignal): Promise<void>;
  observe(spec: SwitchSpec): Promise<SwitchState>;
  /** From now on the link does this to frames; absent: nothing. Those under way are not lost by it. */
  impair(spec: SwitchSpec, link: string, impair: ImpairModel | undefined): Promise<void>;
  linkState(spec: SwitchSpec, link: string): Promise<LinkState>;
  /** Begins to capture frames at these ports, in the order of time. */
  capture(spec: SwitchSpec, points: readonly CapturePoint[], signal: AbortSignal): Promise<SwitchCapture>;
  /** Stops the switch and removes all of it outside stateDir and runDir. */
  stop(spec: SwitchSpec): Promise<void>;
}
