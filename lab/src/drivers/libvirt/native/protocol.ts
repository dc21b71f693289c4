/**
 * What the main thread and the libvirt thread say to each other.
 *
 * One request, one answer, in order. Domains are known by name, never by handle: the thread holds one connection and
 * nothing else, so that a lost thread loses nothing. Everything here is plain data that a message can carry.
 */

/** Domain states of libvirt (virDomainState). */
export const DOMAIN_STATES = [
  "nostate",
  "running",
  "blocked",
  "paused",
  "shutdown",
  "shutoff",
  "crashed",
  "suspended",
] as const;
export type DomainStateName = (typeof DOMAIN_STATES)[number];

export interface DomainState {
  readonly state: DomainStateName;
  /** virDomain*Reason; its meaning depends on the state. */
  readonly reason: number;
}

export interface ConnectionInfo {
  /** `9.0.0` and the like: the library here, the daemon there, and its QEMU. */
  readonly library: string;
  readonly daemon: string;
  readonly hypervisor: string;
  /** Descriptor of the socket to the daemon, to cut a call that hangs; -1 when it is not a socket. */
  readonly socketFd: number;
}

/** Name of a call -> what it takes and what it gives. */
export interface LibvirtCalls {
  connect: { params: { uri: string }; result: ConnectionInfo };
  /** Versions of library, daemon and hypervisor again; also a sign of life. */
  version: { params: Record<string, never>; result: ConnectionInfo };
  /** Defines the domain or replaces its definition; gives its name. */
  define: { params: { xml: string }; result: string };
  create: { params: { name: string }; result: null };
  state: { params: { name: string }; result: DomainState };
  /** The domain as it runs, in libvirt's words. */
  xml: { params: { name: string }; result: string };
  /** Asks the guest, through its agent, to end. */
  shutdown: { params: { name: string }; result: null };
  destroy: { params: { name: string }; result: null };
  undefine: { params: { name: string }; result: null };
  suspend: { params: { name: string }; result: null };
  resume: { params: { name: string }; result: null };
  reset: { params: { name: string }; result: null };
  /** What the running domain does when it reboots, until it ends. */
  onReboot: { params: { name: string; action: "destroy" | "restart" }; result: null };
  /** Writes memory and devices to a file of the daemon's host; the domain is shut off then. */
  save: { params: { name: string; file: string }; result: null };
  restore: { params: { file: string }; result: null };
  /** One command to the guest agent, JSON in and out; the timeout is libvirt's own, in seconds. */
  agent: { params: { name: string; command: string; timeoutS: number }; result: string };
}

export type LibvirtCall = keyof LibvirtCalls;
export type Params<C extends LibvirtCall> = LibvirtCalls[C]["params"];
export type Result<C extends LibvirtCall> = LibvirtCalls[C]["result"];

/** What virGetLastError said, with the call that failed. */
export interface LibvirtFault {
  readonly call: string;
  /** virErrorNumber. */
  readonly code: number;
  /** virErrorDomain: the part of libvirt that complains. */
  readonly domain: number;
  readonly level: number;
  readonly message: string;
}

/** The virErrorNumbers that the driver tells apart. */
export const FAULT = {
  NO_SUPPORT: 3,
  NO_DOMAIN: 42,
  OPERATION_INVALID: 55,
  CONFIG_UNSUPPORTED: 67,
  OPERATION_UNSUPPORTED: 84,
  AGENT_UNRESPONSIVE: 86,
  AGENT_UNSYNCED: 97,
  /** Ours, not libvirt's: the library cannot be loaded. */
  NO_LIBRARY: -1,
} as const;

export interface Request<C extends LibvirtCall = LibvirtCall> {
  readonly id: number;
  readonly call: C;
  readonly params: Params<C>;
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly result: Result<LibvirtCall> }
  | { readonly id: number; readonly ok: false; readonly fault: LibvirtFault };
