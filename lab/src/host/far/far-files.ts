/** Files on the far side of a link. */
import type { FileContent, FileInfo, FileKind, Files, WriteOptions } from "../files.js";
import type { FarLink } from "./link.js";

/** Smaller ones go in one message. */
const PIECE_BYTES = 1024 * 1024;

export class FarFiles implements Files {
  constructor(private readonly link: FarLink) {}

  kind(path: string): Promise<FileKind | undefined> {
    return this.link.call("files.kind", [path]);
  }

  info(path: string): Promise<FileInfo | undefined> {
    return this.link.call("files.info", [path]);
  }

  readText(path: string): Promise<string | undefined> {
    return this.link.call("files.readText", [path]);
  }

  readBytes(path: string): Promise<Uint8Array | undefined> {
    return this.link.call("files.readBytes", [path]);
  }

  async *chunks(path: string, fromByte = 0): AsyncGenerator<Uint8Array> {
    for (let at = fromByte; ; ) {
      const chunk = await this.link.call<Uint8Array | undefined>("files.chunk", [path, at]);
      if (chunk === undefined || chunk.length === 0) return;
      at += chunk.length;
      yield chunk;
    }
  }

  async write(path: string, content: FileContent, options: WriteOptions = {}): Promise<void> {
    if (typeof content === "string" || content instanceof Uint8Array) {
      await this.link.call("files.write", [path, Buffer.from(content), options]);
    } else await this.upload(path, content, options);
  }

  append(path: string, text: string): Promise<void> {
    return this.link.call("files.append", [path, text]);
  }

  createExclusive(path: string, content: string): Promise<boolean> {
    return this.link.call("files.createExclusive", [path, content]);
  }

  makeDirectory(path: string, options: WriteOptions = {}): Promise<void> {
    return this.link.call("files.makeDirectory", [path, options]);
  }

  list(path: string): Promise<string[]> {
    return this.link.call("files.list", [path]);
  }

  remove(path: string): Promise<void> {
    return this.link.call("files.remove", [path]);
  }

  removeEmpty(path: string): Promise<void> {
    return this.link.call("files.removeEmpty", [path]);
  }

  move(from: string, to: string): Promise<void> {
    return this.link.call("files.move", [from, to]);
  }

  tail(path: string, lines: number): Promise<string[]> {
    return this.link.call("files.tail", [path, lines]);
  }

  private async upload(path: string, content: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<void> {
    const { id, opened } = this.link.openStream<void>("files.upload", [path, options], { happened() {}, lost() {} });
    await opened;
    try {
      for await (const piece of content) {
        for (let at = 0; at < piece.length; at += PIECE_BYTES) {
          await this.link.call("files.uploadChunk", [id, piece.subarray(at, at + PIECE_BYTES)]);
        }
      }
    } catch (error) {
      await this.link.call("files.uploadEnd", [id, "the content ended with an error"]).catch(() => {});
      throw error;
    }
    await this.link.call("files.uploadEnd", [id]);
  }
}
