/**
 * What a process prints until it ends. Its pipes need not end with it: a child of its own that lives on in the
 * background holds them open, and nobody must wait for that one.
 */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { OutputStream } from "./exec.js";

type Listener = (stream: OutputStream, text: string) => void;

/** Whatever lies in a pipe is read in each turn of the event loop; two, as the end may be told first in its own. */
const QUIET_TURNS = 2;

export class ProcessOutput {
  private readonly text = { stdout: "", stderr: "" };
  /** A character may come in two chunks. */
  private readonly decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  private chunks = 0;
  private over = false;

  constructor(
    private readonly streams: Readonly<Record<OutputStream, Readable>>,
    private readonly listener: Listener | undefined,
  ) {
    for (const name of ["stdout", "stderr"] as const) {
      streams[name].on("data", (chunk: Buffer) => this.take(name, this.decoders[name].write(chunk)));
    }
  }

  /** After the end of the process: all that it has printed. What its children print later is read and forgotten. */
  async rest(): Promise<Readonly<Record<OutputStream, string>>> {
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      const before = this.chunks;
      await new Promise((resolve) => setImmediate(resolve));
      quiet = this.chunks === before ? quiet + 1 : 0;
    }
    for (const name of ["stdout", "stderr"] as const) {
      this.take(name, this.decoders[name].end());
      // This process need not stay for them.
      unref(this.streams[name]);
    }
    this.over = true;
    return { ...this.text };
  }

  private take(stream: OutputStream, text: string): void {
    this.chunks++;
    if (this.over || text === "") return;
    this.text[stream] += text;
    this.listener?.(stream, text);
  }
}

/** A pipe is a handle of the event loop, though not by its type. */
function unref(stream: Readable): void {
  if ("unref" in stream) (stream as unknown as { unref(): void }).unref();
}
