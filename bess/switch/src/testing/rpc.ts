// SPDX-License-Identifier: BSD-3-Clause
// A plain caller for tests: replies come back as they are, refusals included.
import { Client, credentials, type ServiceDefinition } from "@grpc/grpc-js";
import { bessControl, type MethodName, type ReplyRead, type Request } from "@vnflab/bess-proto";

/** What tests ask with. */
export type Caller = Pick<Rpc, "call" | "ok">;

export class Rpc implements Disposable {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), { "grpc.initial_reconnect_backoff_ms": 50 });
  }

  /** Until the server accepts. */
  ready(deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + deadlineMs, (error) => (error ? reject(error) : resolve()));
    });
  }

  call<M extends MethodName>(rpc: M, request: Request<M> = {} as Request<M>): Promise<ReplyRead<M>> {
    const { path, requestSerialize, responseDeserialize } = (bessControl as ServiceDefinition)[rpc] ?? raise(rpc);
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + 10_000;
      const done = (error: Error | null, reply?: object) => (error ? reject(error) : resolve(reply as ReplyRead<M>));
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, done);
    });
  }

  /** A request of any bytes. */
  raw(rpc: MethodName, bytes: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, reply?: Buffer) => (error ? reject(error) : resolve(reply ?? Buffer.alloc(0)));
      const same = (buffer: Buffer) => buffer;
      this.#client.makeUnaryRequest(`/bess.pb.BESSControl/${rpc}`, same, same, bytes, done);
    });
  }

  /** A call that must succeed. */
  async ok<M extends MethodName>(rpc: M, request: Request<M> = {} as Request<M>): Promise<ReplyRead<M>> {
    const reply = await this.call(rpc, request);
    const { error } = reply as { error?: { code: number; errmsg: string } | null };
    if (error && error.code !== 0) throw new RangeError(`${rpc}: ${error.errmsg} (errno ${error.code})`);
    return reply;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function raise(rpc: string): never {
  throw new TypeError(`no RPC ${rpc}`);
}
