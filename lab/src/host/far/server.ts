/** The helper: serves a Host over a stream to the vnflab on the other side of it, for as long as that one lives. */
import type { Duplex } from "node:stream";
import { VnflabError } from "../../model/error.js";
import type { ChildProcess, RunOptions } from "../exec.js";
import type { WriteOptions } from "../files.js";
import type { Host } from "../host.js";
import type { SocketStream } from "../sockets.js";
import { encodeFrame, FrameReader, NO_BYTES } from "./frame.js";
import type { FarError, FromHelper, Hello, Request } from "./protocol.js";
import { Upload } from "./upload.js";

/** Arguments come from the same version of this program, typed by who calls (far-*.ts). */
type Handler = (id: number, ...args: never[]) => Promise<unknown>;

/** Methods that need nothing but their arguments. */
const PLAIN: Readonly<Record<string, readonly string[]>> = {
  files: [
    ...["kind", "info", "readText", "readBytes", "write", "append", "createExclusive", "makeDirectory"],
    ...["list", "remove", "removeEmpty", "move", "tail"],
  ],
  exec: ["self", "startDaemon", "isAlive", "signal", "stop", "which"],
  sockets: ["isListening"],
};

export class FarServer {
  private readonly children = new Map<number, { child: ChildProcess; end: AbortController }>();
  private readonly streams = new Map<number, SocketStream>();
  private readonly uploads = new Map<number, Upload>();
  private readonly handlers: Readonly<Record<string, Handler>> = {
    "exec.spawn": (id, argv: readonly string[], options: RunOptions, input?: Uint8Array) =>
      this.spawn(id, argv, input === undefined ? options : { ...options, input }),
    "exec.end": async (_id, of: number) => this.children.get(of)?.end.abort(),
    "files.chunk": (_id, path: string, from: number) => this.chunk(path, from),
    "files.upload": async (id, path: string, options: WriteOptions) => {
      this.uploads.set(id, new Upload((content) => this.host.files.write(path, content, options)));
    },
    "files.uploadChunk": async (_id, of: number, bytes: Uint8Array) => this.uploads.get(of)?.add(bytes),
    "files.uploadEnd": async (_id, of: number, failure?: string) => {
      const upload = this.uploads.get(of);
      this.uploads.delete(of);
      await upload?.end(failure);
    },
    "sockets.connect": (id, address: string) => this.connect(id, address),
    "sockets.write": async (_id, of: number, bytes: Uint8Array) => this.streams.get(of)?.write(bytes),
    "sockets.close": async (_id, of: number) => this.streams.get(of)?.[Symbol.asyncDispose](),
  };

  constructor(
    private readonly host: Host,
    private readonly peer: Duplex,
  ) {}

  /** Resolves when the other side is gone; what ran for it alone has then been ended. */
  async serve(): Promise<void> {
    const { env, uid, node, root } = this.host;
    const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const hello: Hello = { hello: 1, env: Object.fromEntries(known), uid, node, root };
    this.send(hello);
    const reader = new FrameReader();
    try {
      for await (const chunk of this.peer) {
        for (const { head, bytes } of reader.take(chunk)) void this.answer(head as Request, bytes);
      }
    } catch {
      // A stream that breaks is a stream that ends.
    }
    await this.giveUp();
  }

  private async giveUp(): Promise<void> {
    for (const { end } of this.children.values()) end.abort();
    for (const upload of this.uploads.values()) await upload.end("the connection was lost").catch(() => {});
    for (const stream of this.streams.values()) await stream[Symbol.asyncDispose]();
    await Promise.all([...this.children.values()].map(({ child }) => child.wait()));
  }

  private async answer(request: Request, bytes: Uint8Array): Promise<void> {
    const { id, bytesAt } = request;
    const args = [...request.args];
    if (bytesAt !== undefined) args[bytesAt] = bytes;
    try {
      const result = await this.perform(request, args);
      if (result instanceof Uint8Array) this.send({ id, ok: true, inBytes: true }, result);
      else this.send({ id, ok: true, result });
    } catch (thrown) {
      this.send({ id, ok: false, error: describe(thrown) });
    }
  }

  private perform(request: Request, args: readonly unknown[]): Promise<unknown> {
    const handler = this.handlers[request.call];
    if (handler) return handler(request.id, ...(args as never[]));
    const [section = "", method = ""] = request.call.split(".");
    if (!PLAIN[section]?.includes(method)) {
      throw new VnflabError("VNF_INTERNAL", `the helper does not know ${request.call}`);
    }
    const object = this.host[section as "files"] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    return (object[method] as (...args: unknown[]) => Promise<unknown>).apply(object, [...args]);
  }

  private async spawn(id: number, argv: readonly string[], options: RunOptions) {
    const end = new AbortController();
    const child = await this.host.exec.spawn(argv, {
      ...options,
      signal: end.signal,
      onOutput: (stream, chunk) => this.send({ of: id, output: stream }, Buffer.from(chunk)),
    });
    this.children.set(id, { child, end });
    void child.wait().then((result) => {
      this.children.delete(id);
      // Its output has been sent already.
      this.send({ of: id, ended: result.exitCode });
    });
    return child.identity;
  }

  private async chunk(path: string, from: number): Promise<Uint8Array | undefined> {
    for await (const chunk of this.host.files.chunks(path, from)) return chunk;
    return undefined;
  }

  private async connect(id: number, address: string): Promise<void> {
    const stream = await this.host.sockets.connect(address);
    this.streams.set(id, stream);
    stream.onData((bytes) => this.send({ of: id, data: true }, bytes));
    void stream.closed.then(() => {
      this.streams.delete(id);
      this.send({ of: id, closed: true });
    });
  }

  private send(head: FromHelper, bytes: Uint8Array = NO_BYTES): void {
    if (this.peer.writable) this.peer.write(encodeFrame(head, bytes));
  }
}

function describe(thrown: unknown): FarError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof VnflabError) {
    const { code, hint, log } = thrown;
    return { message, code, hint, ofLab: true, ...(log ? { log } : {}) };
  }
  const code = thrown instanceof Error && "code" in thrown ? { code: String(thrown.code) } : {};
  return { message, ofLab: false, ...code };
}
