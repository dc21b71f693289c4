/** Pipes in memory, for unit tests: a test writes what it likes. */
import { PassThrough } from "node:stream";
import type { FakeFiles } from "./fake-host.js";
import type { Pipes, ReadingEnd } from "./pipes.js";

export class FakePipes implements Pipes {
  /** By path; ended when the reader has closed. */
  readonly writers = new Map<string, PassThrough>();

  constructor(private readonly files: FakeFiles) {}

  async open(path: string): Promise<ReadingEnd> {
    const stream = new PassThrough();
    this.writers.set(path, stream);
    await this.files.write(path, "");
    return { content: stream, close: () => void stream.end() };
  }
}
