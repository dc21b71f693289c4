// SPDX-License-Identifier: BSD-3-Clause
// Errors as bessd gives them: a Linux errno and a text, both part of the protocol.

export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  ENOMEM: 12,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ELOOP: 40,
  EOPNOTSUPP: 95,
} as const;

const TEXTS: Record<number, string> = {
  [Errno.EPERM]: "Operation not permitted",
  [Errno.ENOENT]: "No such file or directory",
  [Errno.EIO]: "Input/output error",
  [Errno.ENXIO]: "No such device or address",
  [Errno.ENOMEM]: "Cannot allocate memory",
  [Errno.EBUSY]: "Device or resource busy",
  [Errno.EEXIST]: "File exists",
  [Errno.ENODEV]: "No such device",
  [Errno.EINVAL]: "Invalid argument",
  [Errno.EOPNOTSUPP]: "Operation not supported",
};

/** A request that is refused; becomes the reply's `error`. */
export class RpcError extends Error {
  override readonly name = "RpcError";

  constructor(
    readonly code: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The data plane refused; `step` is its own word for what failed, when it has one. */
export class DataPlaneError extends RpcError {
  constructor(code: number, step?: string) {
    super(code, step ?? TEXTS[code] ?? `errno ${code}`);
  }
}

export const invalid = (message: string) => new RpcError(Errno.EINVAL, message);
export const missing = (message: string) => new RpcError(Errno.ENOENT, message);
export const unsupported = (message: string) => new RpcError(Errno.EOPNOTSUPP, message);
