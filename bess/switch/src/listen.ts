// SPDX-License-Identifier: BSD-3-Clause
// The control address: a unix socket or a TCP port, and what can be wrong with either.
import { chmodSync, existsSync } from "node:fs";
import { connect } from "node:net";
import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { bessControl } from "@vnflab/bess-proto";
import { ExitCode, ExitError } from "./exit-error.js";

/** Requests are small; an L2Forward add with a million entries still fits. */
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;

const socketPath = (address: string) => (address.startsWith("unix:") ? address.slice("unix:".length) : undefined);

export async function listen(address: string, service: UntypedServiceImplementation): Promise<Server> {
  const path = socketPath(address);
  const server = new Server({ "grpc.max_receive_message_length": MAX_REQUEST_BYTES });
  server.addService(bessControl, service);
  try {
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
    });
  } catch (cause) {
    const text = (cause as Error).message;
    if (/EADDRINUSE/.test(text)) throw inUse(address, cause);
    throw new ExitError(ExitCode.usage, `cannot listen on ${address}: ${text}`, { cause });
  }
  if (path !== undefined) chmodSync(path, 0o600);
  return server;
}

const inUse = (address: string, cause?: unknown) =>
  new ExitError(ExitCode.addressInUse, `${address} is in use by another process: stop it or choose another --listen`, {
    cause,
  });

/** What can be said before anything is started. */
export async function checkAddress(address: string): Promise<void> {
  const path = socketPath(address);
  if (path === undefined) return;
  if (Buffer.byteLength(path) > 107) throw new ExitError(ExitCode.usage, `the socket path exceeds 107 bytes: ${path}`);
  if (!existsSync(path)) return;
  if (await answers(path)) throw inUse(address);
  const text = `${path} exists but nobody listens on it: a stale socket of a dead daemon? Remove it: rm ${path}`;
  throw new ExitError(ExitCode.addressInUse, text);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
