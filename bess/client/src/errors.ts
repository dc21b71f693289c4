// SPDX-License-Identifier: BSD-3-Clause

/** The daemon refused a request: `code` is a Linux errno (or -1 from a plug-in), `errmsg` its own words. */
export class BessError extends Error {
  override readonly name = "BessError";

  constructor(
    readonly rpc: string,
    readonly code: number,
    readonly errmsg: string,
    /** Which step of a pipeline it was, when one was being applied. */
    readonly step?: string,
  ) {
    super(`${step === undefined ? "" : `${step}: `}${rpc}: ${errmsg} (errno ${code})`);
  }
}

/** The request did not get through: nothing listens, the deadline passed, the call was cancelled. */
export class BessUnreachableError extends Error {
  override readonly name = "BessUnreachableError";

  constructor(
    readonly rpc: string,
    readonly address: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`${rpc}: no answer from the switch at ${address}: ${reason}`, options);
  }
}
