/** Named pipes that another process writes and this one reads: the interface. */

export interface ReadingEnd {
  /** What is written, until the last writer has closed; to be asked for once. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Nobody reads any more: writers learn of it, and the content ends. */
  close(): void;
}

export interface Pipes {
  /** Makes a pipe for this user alone and opens it, so that a writer finds a reader. */
  open(path: string): Promise<ReadingEnd>;
}
