/**
 * libvirt behind a thread. The thread blocks in one call at a time; the main thread never does.
 *
 * A native call cannot be interrupted, and a blocked one keeps the whole process from exiting. What can be done is to
 * shut down the socket on which it waits: libvirt then gives up with an error. So a call that misses its deadline ends
 * the connection, and the process stays able to exit.
 */
import { Worker } from "node:worker_threads";
import { VnflabError } from "../../model/error.js";
import { faultError } from "./fault-error.js";
import type { CallOptions, Libvirt } from "./libvirt.js";
import type { Answer, LibvirtCall, Params, Request, Result } from "./native/protocol.js";
import { cutSocket, socketOfUri, socketsTo } from "./native/sockets.js";

/** Compiled, also when this file runs from src/, as in a test: a thread starts from JavaScript. */
const THREAD = new URL("../../../dist/drivers/libvirt/native/libvirt-thread.js", import.meta.url);
const DEFAULT_DEADLINE_MS = 30_000;
const CLOSE_MS = 2000;

interface Pending {
  readonly call: LibvirtCall;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class ThreadLibvirt implements Libvirt {
  private readonly thread = new Worker(THREAD);
  private readonly pending = new Map<number, Pending>();
  private readonly ended: Promise<void>;
  private nextId = 1;
  private socketFd = -1;
  private broken: VnflabError | undefined;

  private constructor(private readonly uri: string) {
    this.thread.on("message", (answer: Answer) => this.settle(answer));
    this.thread.on("error", (cause) =>
      this.fail(new VnflabError("VNF_INTERNAL", "the libvirt thread died", { cause })),
    );
    this.ended = new Promise((resolve) => {
      this.thread.once("exit", () => {
        this.fail(new VnflabError("VNF_LIBVIRT", `the connection to ${this.uri} is closed`));
        resolve();
      });
    });
    // The process may end while the thread is idle; pending calls hold it by their timers.
    this.thread.unref();
  }

  static async connect(uri: string, options: CallOptions = {}): Promise<ThreadLibvirt> {
    const libvirt = new ThreadLibvirt(uri);
    try {
      const info = await libvirt.call("connect", { uri }, options);
      libvirt.socketFd = info.socketFd;
      return libvirt;
    } catch (error) {
      await libvirt[Symbol.asyncDispose]();
      throw error;
    }
  }

  call<C extends LibvirtCall>(call: C, params: Params<C>, options: CallOptions = {}): Promise<Result<C>> {
    if (this.broken) return Promise.reject(this.broken);
    const id = this.nextId++;
    const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    return new Promise<Result<C>>((resolve, reject) => {
      const timer = setTimeout(() => this.cut(call, deadlineMs), deadlineMs);
      const done = () => {
        clearTimeout(timer);
        this.pending.delete(id);
      };
      this.pending.set(id, {
        call,
        resolve: (result) => {
          done();
          resolve(result as Result<C>);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      const request: Request<C> = { id, call, params };
      this.thread.postMessage(request);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thread.postMessage("close");
    const timer = setTimeout(() => this.hangUp(), CLOSE_MS);
    await this.ended;
    clearTimeout(timer);
  }

  private settle(answer: Answer): void {
    const pending = this.pending.get(answer.id);
    if (!pending) return;
    if (answer.ok) pending.resolve(answer.result);
    else pending.reject(faultError(answer.fault));
  }

  private cut(call: LibvirtCall, deadlineMs: number): void {
    const hint = "The daemon does not answer; its log tells why. The next command starts afresh.";
    this.fail(new VnflabError("VNF_LIBVIRT", `libvirt did not answer ${call} within ${deadlineMs} ms`, { hint }));
    this.hangUp();
  }

  private fail(error: VnflabError): void {
    this.broken ??= error;
    for (const pending of [...this.pending.values()]) pending.reject(error);
  }

  private hangUp(): void {
    const path = socketOfUri(this.uri);
    // Before the connection stands its own socket is unknown; a daemon that hangs there answers nobody else either.
    const sockets = this.socketFd >= 0 ? [this.socketFd] : path ? socketsTo(path) : [];
    for (const fd of sockets) cutSocket(fd);
    void this.thread.terminate();
  }
}
