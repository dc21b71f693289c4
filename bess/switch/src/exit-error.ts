// SPDX-License-Identifier: BSD-3-Clause

/** The daemon's exit codes; docs/reference/vportd.md has the same table. */
export const ExitCode = {
  failure: 1,
  usage: 2,
  addressInUse: 3,
  dataPlane: 4,
  alreadyRunning: 5,
} as const;

/** Ends the daemon with one message and a code of its own. */
export class ExitError extends Error {
  override readonly name = "ExitError";

  constructor(
    readonly exitCode: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
