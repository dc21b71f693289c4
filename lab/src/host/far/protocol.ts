/**
 * What vnflab and its helper say to each other. The helper is this same program on the far side, in a container or
 * behind ssh, so both are of one version; what one side asks for by name, the other has.
 */
import type { OutputStream } from "../exec.js";

/** Said first by the helper: what a Host tells about itself. */
export interface Hello {
  readonly hello: 1;
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number;
  readonly node: string;
  readonly root: string;
}

/** A call, or an open stream's further life: `stream` names one that an earlier call has opened. */
export interface Request {
  readonly id: number;
  /** `files.readText`, `exec.run`, ... */
  readonly call: string;
  readonly args: readonly unknown[];
  /** The argument that stands in the frame's bytes, as its index. */
  readonly bytesAt?: number;
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly result?: unknown; readonly inBytes?: boolean }
  | { readonly id: number; readonly ok: false; readonly error: FarError };

/** Something that happens on a stream that the call `of` opened. */
export type Happening =
  | { readonly of: number; readonly output: OutputStream }
  | { readonly of: number; readonly data: true }
  | { readonly of: number; readonly closed: true }
  | { readonly of: number; readonly ended: unknown };

export interface FarError {
  readonly message: string;
  /** A VnflabError's code, or what the system call said (ENOENT, ...). */
  readonly code?: string;
  readonly hint?: string;
  readonly ofLab: boolean;
  readonly log?: { readonly file: string; readonly lines: readonly string[] };
}

export type FromHelper = Hello | Answer | Happening;
