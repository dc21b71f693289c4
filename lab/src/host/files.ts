/** Files and folders: the interface. Paths are absolute. What is absent is `undefined` or ignored, never an error. */

export type FileKind = "file" | "directory" | "socket" | "other";

export interface FileInfo {
  readonly kind: FileKind;
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
}

export type FileContent = string | Uint8Array | AsyncIterable<Uint8Array>;

export interface WriteOptions {
  /** Permission bits, default 0o644. */
  readonly mode?: number;
}

export interface Files {
  /** A symbolic link counts as what it points to. */
  kind(path: string): Promise<FileKind | undefined>;
  info(path: string): Promise<FileInfo | undefined>;
  readText(path: string): Promise<string | undefined>;
  readBytes(path: string): Promise<Uint8Array | undefined>;
  /** What there is from an offset on, in chunks: for files that grow or are too big for the memory; absent: nothing. */
  chunks(path: string, fromByte?: number): AsyncIterable<Uint8Array>;
  /** Atomic (written beside, then renamed), also when the content ends with an error; makes the folders it needs. */
  write(path: string, content: FileContent, options?: WriteOptions): Promise<void>;
  /** Appends and reaches the disk before it returns: for the journal. */
  append(path: string, text: string): Promise<void>;
  /** Creates the file, at once with its content, only if it is absent; false when it was there. */
  createExclusive(path: string, content: string): Promise<boolean>;
  makeDirectory(path: string, options?: WriteOptions): Promise<void>;
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(path: string): Promise<string[]>;
  /** Removes a file, a socket or a whole folder. */
  remove(path: string): Promise<void>;
  /** Removes a folder that is empty; any other stays, without complaint. */
  removeEmpty(path: string): Promise<void>;
  /** Renames; the target's folder is made, a target that exists is removed first. */
  move(from: string, to: string): Promise<void>;
  /** The last lines of a text file; empty when there is none. */
  tail(path: string, lines: number): Promise<string[]>;
}
