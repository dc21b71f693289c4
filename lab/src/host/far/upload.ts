/** A file that comes in pieces over the link, handed on as the one stream that Files.write() wants. */
import { deferred } from "./deferred.js";

export class Upload {
  private next = deferred<Uint8Array | undefined>();
  private taken = deferred<void>();
  private readonly written: Promise<void>;

  constructor(write: (content: AsyncIterable<Uint8Array>) => Promise<void>) {
    this.written = write(this.pieces());
    this.written.catch(() => this.taken.resolve());
  }

  /** Resolves when the piece is on its way to the disk, so that no more than one is held. */
  async add(piece: Uint8Array): Promise<void> {
    const { promise } = this.taken;
    this.next.resolve(piece);
    await promise;
  }

  /** Throws what writing threw; with a failure nothing is left of the file. */
  async end(failure?: string): Promise<void> {
    if (failure === undefined) this.next.resolve(undefined);
    else this.next.reject(new Error(failure));
    await this.written;
  }

  private async *pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = await this.next.promise;
      if (piece === undefined) return;
      this.next = deferred();
      yield piece;
      this.taken.resolve();
      this.taken = deferred();
    }
  }
}
