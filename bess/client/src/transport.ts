// SPDX-License-Identifier: BSD-3-Clause
// One unary call with a deadline, and what becomes of its failures.
import { setMaxListeners } from "node:events";
import { Client, credentials, type ServiceDefinition, type ServiceError, status } from "@grpc/grpc-js";
import { bessControl, type MethodName, type ReplyRead, type Request } from "@vnflab/bess-proto";
import { BessError, BessUnreachableError } from "./errors.js";

export interface ConnectOptions {
  /** For reaching the daemon, and again for each call. */
  deadlineMs: number;
  /** Ends the wait for the daemon and every later call. */
  signal?: AbortSignal;
}

/** A daemon that is just starting shall be found soon after it listens. */
const RECONNECT = { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 500 };

export class Transport {
  readonly #client: Client;

  private constructor(
    readonly address: string,
    readonly options: ConnectOptions,
  ) {
    this.#client = new Client(address, credentials.createInsecure(), RECONNECT);
    // Each call that is under way listens to it, and a switch of many ports is asked about all at once.
    if (options.signal) setMaxListeners(0, options.signal);
  }

  static async connect(address: string, options: ConnectOptions): Promise<Transport> {
    const transport = new Transport(address, options);
    try {
      await transport.#ready();
      return transport;
    } catch (cause) {
      transport.close();
      const aborted = options.signal?.aborted === true;
      const reason = aborted ? "cancelled" : `it did not accept a connection within ${options.deadlineMs} ms`;
      throw new BessUnreachableError("connect", address, reason, { cause });
    }
  }

  #ready(): Promise<void> {
    const { signal, deadlineMs } = this.options;
    return new Promise((resolve, reject) => {
      const stop = () => reject(signal?.reason);
      if (signal?.aborted) return stop();
      signal?.addEventListener("abort", stop, { once: true });
      this.#client.waitForReady(Date.now() + deadlineMs, (error) => {
        signal?.removeEventListener("abort", stop);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  call<M extends MethodName>(rpc: M, request: Request<M>): Promise<ReplyRead<M>> {
    const { signal, deadlineMs } = this.options;
    const method = (bessControl as ServiceDefinition)[rpc];
    if (method === undefined) throw new TypeError(`no RPC ${rpc}`);
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, reply?: object) => {
        signal?.removeEventListener("abort", cancel);
        const refused = (reply as { error?: { code: number; errmsg: string } | null } | undefined)?.error;
        if (error) reject(this.#unreachable(rpc, error));
        else if (refused && refused.code !== 0) reject(new BessError(rpc, refused.code, refused.errmsg));
        else resolve(reply as ReplyRead<M>);
      };
      const { path, requestSerialize, responseDeserialize } = method;
      const deadline = Date.now() + deadlineMs;
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        { deadline },
        done,
      );
      const cancel = () => call.cancel();
      if (signal?.aborted) cancel();
      else signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  #unreachable(rpc: string, cause: ServiceError): BessUnreachableError {
    const reasons: Partial<Record<status, string>> = {
      [status.DEADLINE_EXCEEDED]: `nothing came within ${this.options.deadlineMs} ms`,
      [status.CANCELLED]: "cancelled",
      [status.UNAVAILABLE]: `the connection is gone (${cause.details})`,
      [status.UNIMPLEMENTED]: "it does not know this RPC",
    };
    return new BessUnreachableError(rpc, this.address, reasons[cause.code] ?? cause.message, { cause });
  }

  close(): void {
    this.#client.close();
  }
}
