// SPDX-License-Identifier: BSD-3-Clause
// One typed method an RPC, and apply() for a whole pipeline.
import { type MethodName, methodNames, type ReplyRead, type Request } from "@vnflab/bess-proto";
import { BessError } from "./errors.js";
import { type Pipeline, packArgument } from "./pipeline.js";
import { type ConnectOptions, Transport } from "./transport.js";

/** Requests without fields need not be given. */
type Parameters<M extends MethodName> = keyof Request<M> extends never ? [] : [request: Request<M>];

/** The RPCs under their camelCase names. Each rejects with BessError or BessUnreachableError. */
export type Calls = { [M in MethodName as Uncapitalize<M>]: (...args: Parameters<M>) => Promise<ReplyRead<M>> };

class CallTable {
  constructor(transport: Transport) {
    for (const rpc of methodNames) {
      const name = rpc.charAt(0).toLowerCase() + rpc.slice(1);
      Object.defineProperty(this, name, { value: (request: object = {}) => transport.call(rpc, request) });
    }
  }
}

const CallsBase = CallTable as unknown as new (transport: Transport) => Calls;

export class BessClient extends CallsBase implements AsyncDisposable {
  readonly #transport: Transport;

  private constructor(transport: Transport) {
    super(transport);
    this.#transport = transport;
  }

  /** `address` is `unix:/path` or `host:port`. Waits until the daemon accepts the connection. */
  static async connect(address: string, options: ConnectOptions): Promise<BessClient> {
    return new BessClient(await Transport.connect(address, options));
  }

  get address(): string {
    return this.#transport.address;
  }

  /**
   * Builds the pipeline while all workers are paused and resumes them, also after a failure: as with bessctl, what
   * was made before the failing step stays. The BessError's `step` names that step.
   */
  async apply(pipeline: Pipeline): Promise<void> {
    await this.pauseAll();
    try {
      await this.build(pipeline);
    } catch (error) {
      await this.resumeAll().catch(() => undefined); // the first error is the one to report
      throw error;
    }
    await this.resumeAll();
  }

  /** Builds the pipeline without pausing or resuming anything. The BessError's `step` names the step that failed. */
  async build({ workers, ports, modules, connections, commands }: Pipeline): Promise<void> {
    for (const worker of workers) {
      await step(`worker ${worker.wid} on core ${worker.core}`, this.addWorker(worker));
    }
    for (const { name, driver, queues, arg } of ports) {
      const request = { name, driver, num_inc_q: queues, num_out_q: queues, arg: packArgument(arg) };
      await step(`port ${name}`, this.createPort(request));
    }
    for (const { name, mclass, arg } of modules) {
      await step(`module ${name}`, this.createModule({ name, mclass, arg: packArgument(arg) }));
    }
    for (const link of connections) {
      await step(`link ${link.m1}:${link.ogate} -> ${link.igate}:${link.m2}`, this.connectModules(link));
    }
    for (const { name, cmd, arg } of commands) {
      await step(`command ${name}.${cmd}`, this.moduleCommand({ name, cmd, arg: packArgument(arg) }));
    }
  }

  close(): void {
    this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

async function step<T>(name: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof BessError) throw new BessError(error.rpc, error.code, error.errmsg, name);
    throw error;
  }
}
