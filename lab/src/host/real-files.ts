import { createReadStream, type Stats } from "node:fs";
import { appendFile, link, mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { FileContent, FileInfo, FileKind, Files, WriteOptions } from "./files.js";
import { readable } from "./readable.js";

const TAIL_BYTES = 64 * 1024;
const CHUNK_BYTES = 512 * 1024;

/** Tells apart what this process writes beside at the same time. */
let nextName = 0;

export class RealFiles implements Files {
  async kind(path: string): Promise<FileKind | undefined> {
    return (await this.info(path))?.kind;
  }

  async info(path: string): Promise<FileInfo | undefined> {
    const found = await absentIsUndefined(stat(path));
    return found && { kind: kindOf(found), sizeBytes: found.size, mode: found.mode & 0o7777 };
  }

  async readText(path: string): Promise<string | undefined> {
    return absentIsUndefined(readFile(path, "utf8"));
  }

  async readBytes(path: string): Promise<Uint8Array | undefined> {
    return absentIsUndefined(readFile(path));
  }

  async *chunks(path: string, fromByte = 0): AsyncGenerator<Uint8Array> {
    try {
      yield* createReadStream(path, { start: fromByte, highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>;
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
    }
  }

  async write(path: string, content: FileContent, options: WriteOptions = {}): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const beside = `${path}.${process.pid}.${nextName++}.new`;
    try {
      await writeFile(beside, content, { mode: options.mode ?? 0o644 });
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }

  async append(path: string, text: string): Promise<void> {
    await appendFile(path, text, { flush: true });
  }

  async createExclusive(path: string, content: string): Promise<boolean> {
    await mkdir(dirname(path), { recursive: true });
    // Written beside, then linked: nobody ever sees the file without its content.
    const beside = `${path}.${process.pid}.${nextName++}.new`;
    await writeFile(beside, content);
    try {
      await link(beside, path);
      return true;
    } catch (error) {
      if (hasCode(error, "EEXIST")) return false;
      throw error;
    } finally {
      await rm(beside, { force: true });
    }
  }

  async makeDirectory(path: string, options: WriteOptions = {}): Promise<void> {
    await mkdir(path, { recursive: true, mode: options.mode ?? 0o755 });
  }

  async list(path: string): Promise<string[]> {
    return ((await absentIsUndefined(readdir(path))) ?? []).sort();
  }

  async remove(path: string): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }

  async removeEmpty(path: string): Promise<void> {
    await rmdir(path).catch((error: unknown) => {
      if (!["ENOTEMPTY", "ENOENT", "EEXIST"].some((code) => hasCode(error, code))) throw error;
    });
  }

  async move(from: string, to: string): Promise<void> {
    await this.remove(to);
    await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
  }

  async tail(path: string, lines: number): Promise<string[]> {
    const file = await absentIsUndefined(open(path));
    if (!file) return [];
    try {
      const { size } = await file.stat();
      const start = Math.max(0, size - TAIL_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
      return lastLines(buffer.toString("utf8", 0, bytesRead), lines);
    } finally {
      await file.close();
    }
  }
}

/** The last lines of a text, without the line ends; a serial console ends its lines with \r\n. */
export function lastLines(text: string, count: number): string[] {
  const lines = readable(text).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(-count);
}

function kindOf(found: Stats): FileKind {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "directory";
  return found.isSocket() ? "socket" : "other";
}

async function absentIsUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR", "ESRCH"].some((code) => hasCode(error, code))) return undefined;
    throw error;
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
