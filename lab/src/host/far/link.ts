/** The near end of a connection to a helper: calls by name, and streams that a call opens. */
import type { Duplex } from "node:stream";
import { ERROR_CODES, type ErrorCode, VnflabError } from "../../model/error.js";
import { type Deferred, deferred } from "./deferred.js";
import { encodeFrame, type Frame, FrameReader } from "./frame.js";
import type { Answer, FarError, FromHelper, Happening, Hello, Request } from "./protocol.js";

/** A helper that has not said hello by then is none. */
const HELLO_MS = 60_000;

/**
 * A helper that has not answered by then will not: each call is a small step, and where it waits it has a limit that is
 * shorter.
 */
const ANSWER_MS = 180_000;

export interface StreamListener {
  /** What came on the stream; a lost connection counts as its end. */
  happened(happening: Happening, bytes: Uint8Array): void;
  lost(error: VnflabError): void;
}

export interface FarStream<T> {
  /** Names the stream in later calls. */
  readonly id: number;
  readonly opened: Promise<T>;
}

export interface LinkOptions {
  /** The far side in words, such as `the container vnflab-l`, for errors. */
  readonly name: string;
  /** What the far side said beside the frames, such as an error of the shell; asked for when the link is lost. */
  readonly complaints: () => string;
}

export class FarLink implements AsyncDisposable {
  private readonly calls = new Map<number, Deferred<unknown>>();
  private readonly listeners = new Map<number, StreamListener>();
  private readonly greeted = deferred<Hello>();
  private lostWith: VnflabError | undefined;
  private nextId = 1;

  private constructor(
    private readonly stream: Duplex,
    private readonly options: LinkOptions,
  ) {
    const reader = new FrameReader();
    stream.on("data", (chunk: Buffer) => {
      try {
        for (const frame of reader.take(chunk)) this.receive(frame);
      } catch (cause) {
        this.lose(cause);
      }
    });
    stream.on("error", (cause) => this.lose(cause));
    stream.on("close", () => this.lose(undefined));
    stream.on("end", () => this.lose(undefined));
  }

  /** Waits for the helper's hello. Throws VNF_PLACE_LOST when something else is on the other side, or nothing. */
  static async open(stream: Duplex, options: LinkOptions): Promise<{ link: FarLink; hello: Hello }> {
    const link = new FarLink(stream, options);
    const late = setTimeout(() => link.lose(new Error("no answer")), HELLO_MS);
    try {
      return { link, hello: await link.greeted.promise };
    } finally {
      clearTimeout(late);
    }
  }

  get isLost(): boolean {
    return this.lostWith !== undefined;
  }

  async call<T>(call: string, args: readonly unknown[]): Promise<T> {
    return this.request(this.nextId++, call, args);
  }

  /** A call whose id goes on to name a stream, until that ends. */
  openStream<T>(call: string, args: readonly unknown[], listener: StreamListener): FarStream<T> {
    const id = this.nextId++;
    this.listeners.set(id, listener);
    const opened = this.request<T>(id, call, args);
    opened.catch(() => this.listeners.delete(id));
    return { id, opened };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stream.end();
    // Whoever still waits for an answer, or for the end of a stream, gets none any more.
    this.lose(new Error("closed"));
  }

  private request<T>(id: number, call: string, args: readonly unknown[]): Promise<T> {
    if (this.lostWith) return Promise.reject(this.lostWith);
    const answered = deferred<unknown>();
    this.calls.set(id, answered);
    const bytesAt = args.findIndex((argument) => argument instanceof Uint8Array);
    const request: Request = { id, call, args: args.map((argument, at) => (at === bytesAt ? null : argument)) };
    if (bytesAt < 0) this.stream.write(encodeFrame(request));
    else this.stream.write(encodeFrame({ ...request, bytesAt }, args[bytesAt] as Uint8Array));
    const late = setTimeout(() => this.lose(new Error(`no answer to ${call}`)), ANSWER_MS);
    return answered.promise.finally(() => clearTimeout(late)) as Promise<T>;
  }

  private receive({ head, bytes }: Frame): void {
    const message = head as FromHelper;
    if ("hello" in message) this.greeted.resolve(message);
    else if ("id" in message) this.settle(message, bytes);
    else this.tell(message, bytes);
  }

  private settle(answer: Answer, bytes: Uint8Array): void {
    const call = this.calls.get(answer.id);
    this.calls.delete(answer.id);
    if (!answer.ok) call?.reject(errorOf(answer.error));
    else call?.resolve(answer.inBytes ? bytes : answer.result);
  }

  private tell(happening: Happening, bytes: Uint8Array): void {
    const listener = this.listeners.get(happening.of);
    if ("ended" in happening || "closed" in happening) this.listeners.delete(happening.of);
    listener?.happened(happening, bytes);
  }

  private lose(cause: unknown): void {
    if (this.lostWith) return;
    const error = this.lossOf(cause);
    this.lostWith = error;
    this.stream.destroy();
    this.greeted.reject(error);
    for (const call of this.calls.values()) call.reject(error);
    for (const listener of this.listeners.values()) listener.lost(error);
    this.calls.clear();
    this.listeners.clear();
  }

  private lossOf(cause: unknown): VnflabError {
    const said = this.options.complaints().trim();
    const why = [cause instanceof Error ? cause.message : "", said].filter((words) => words !== "").join(": ");
    const message = `the connection to ${this.options.name} was lost${why === "" ? "" : `: ${why}`}`;
    return new VnflabError("VNF_PLACE_LOST", message, { cause });
  }
}

function errorOf({ message, code, hint, ofLab, log }: FarError): Error {
  if (ofLab && code !== undefined && code in ERROR_CODES) {
    return new VnflabError(code as ErrorCode, message, { ...(hint ? { hint } : {}), ...(log ? { log } : {}) });
  }
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}
