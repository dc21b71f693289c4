/** libvirt as the driver sees it: one connection, typed calls with deadlines. One real implementation, one fake. */

import { VnflabError } from "../../model/error.js";
import type { LibvirtCall, LibvirtFault, Params, Result } from "./native/protocol.js";

export interface CallOptions {
  /** A call that takes longer ends the connection; the next call needs a new one. Default 30 s. */
  readonly deadlineMs?: number;
}

export interface Libvirt extends AsyncDisposable {
  /** Throws a VnflabError, code VNF_LIBVIRT, whose cause is a LibvirtFault when libvirt itself refused. */
  call<C extends LibvirtCall>(call: C, params: Params<C>, options?: CallOptions): Promise<Result<C>>;
}

/** Opens a connection. */
export type LibvirtConnector = (uri: string) => Promise<Libvirt>;

/** What libvirt said, if it was libvirt who said it. */
export function faultOf(thrown: unknown): LibvirtFault | undefined {
  const cause = thrown instanceof VnflabError ? thrown.cause : undefined;
  return isFault(cause) ? cause : undefined;
}

export function hasFault(thrown: unknown, ...codes: readonly number[]): boolean {
  const fault = faultOf(thrown);
  return fault !== undefined && codes.includes(fault.code);
}

function isFault(value: unknown): value is LibvirtFault {
  return typeof value === "object" && value !== null && "call" in value && "code" in value && "message" in value;
}
