/** A text file that grows: its new lines each time somebody looks. */
import type { Files } from "../host/files.js";
import { readable } from "../host/readable.js";

export class GrowingFile {
  private decoder = new TextDecoder();
  private rest = "";

  private constructor(
    private readonly files: Files,
    readonly path: string,
    private at: number,
  ) {}

  /** From the beginning. */
  static whole(files: Files, path: string): GrowingFile {
    return new GrowingFile(files, path, 0);
  }

  /** From where it ends now. */
  static async fromEnd(files: Files, path: string): Promise<GrowingFile> {
    return new GrowingFile(files, path, (await files.info(path))?.sizeBytes ?? 0);
  }

  /** Whole lines that have come since the last look; a file that was begun anew is read from its beginning. */
  async newLines(): Promise<string[]> {
    const size = (await this.files.info(this.path))?.sizeBytes ?? 0;
    if (size < this.at) {
      this.at = 0;
      this.rest = "";
      this.decoder = new TextDecoder();
    }
    if (size === this.at) return [];
    for await (const chunk of this.files.chunks(this.path, this.at)) {
      this.at += chunk.length;
      this.rest += this.decoder.decode(chunk, { stream: true });
    }
    const lines = this.rest.split("\n");
    this.rest = lines.pop() ?? "";
    return lines.map(readable);
  }
}
