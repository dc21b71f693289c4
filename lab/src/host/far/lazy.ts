/** Hosts that are reached when they are first asked for something, and that may not be there. */
import type { VnflabError } from "../../model/error.js";
import type {
  ChildProcess,
  CommandOptions,
  DaemonOptions,
  Exec,
  ProcessIdentity,
  RunOptions,
  RunResult,
  SignalName,
} from "../exec.js";
import type { FileContent, FileInfo, FileKind, Files, WriteOptions } from "../files.js";
import type { Host } from "../host.js";
import type { SocketStream, Sockets } from "../sockets.js";

/** Throws when it cannot be reached; undefined when it is not there at all, such as a container that has gone. */
export type Reach = () => Promise<Host | undefined>;

/** Why nothing can be done there. */
export type Absence = () => VnflabError;

export class LazyExec implements Exec {
  constructor(
    private readonly reach: Reach,
    private readonly absence: Absence,
  ) {}

  async run(argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    return (await this.there()).run(argv, options);
  }

  async spawn(argv: readonly string[], options?: RunOptions): Promise<ChildProcess> {
    return (await this.there()).spawn(argv, options);
  }

  async startDaemon(argv: readonly string[], options: DaemonOptions): Promise<ProcessIdentity> {
    return (await this.there()).startDaemon(argv, options);
  }

  async self(): Promise<ProcessIdentity> {
    return (await this.there()).self();
  }

  async runOnTerminal(argv: readonly string[], options?: CommandOptions): Promise<number> {
    return (await this.there()).runOnTerminal(argv, options);
  }

  async which(program: string): Promise<string | undefined> {
    return (await this.there()).which(program);
  }

  /** Where there is nothing, nothing lives. */
  async isAlive(process: ProcessIdentity): Promise<boolean> {
    return (await (await this.reach())?.exec.isAlive(process)) ?? false;
  }

  async signal(process: ProcessIdentity, name: SignalName): Promise<void> {
    await (await this.reach())?.exec.signal(process, name);
  }

  async stop(process: ProcessIdentity, graceMs: number): Promise<boolean> {
    return (await (await this.reach())?.exec.stop(process, graceMs)) ?? false;
  }

  private async there(): Promise<Exec> {
    const host = await this.reach();
    if (!host) throw this.absence();
    return host.exec;
  }
}

/** Files of which some are of this host: those below folders that both sides share. */
export class SplitFiles implements Files {
  constructor(
    private readonly near: Files,
    private readonly isShared: (path: string) => boolean,
    private readonly reach: Reach,
    private readonly absence: Absence,
  ) {}

  async kind(path: string): Promise<FileKind | undefined> {
    return (await this.toRead(path))?.kind(path);
  }

  async info(path: string): Promise<FileInfo | undefined> {
    return (await this.toRead(path))?.info(path);
  }

  async readText(path: string): Promise<string | undefined> {
    return (await this.toRead(path))?.readText(path);
  }

  async readBytes(path: string): Promise<Uint8Array | undefined> {
    return (await this.toRead(path))?.readBytes(path);
  }

  async *chunks(path: string, fromByte?: number): AsyncIterable<Uint8Array> {
    const files = await this.toRead(path);
    if (files) yield* files.chunks(path, fromByte);
  }

  async list(path: string): Promise<string[]> {
    return (await (await this.toRead(path))?.list(path)) ?? [];
  }

  async tail(path: string, lines: number): Promise<string[]> {
    return (await (await this.toRead(path))?.tail(path, lines)) ?? [];
  }

  async remove(path: string): Promise<void> {
    await (await this.toRead(path))?.remove(path);
  }

  async removeEmpty(path: string): Promise<void> {
    await (await this.toRead(path))?.removeEmpty(path);
  }

  async write(path: string, content: FileContent, options?: WriteOptions): Promise<void> {
    await (await this.toWrite(path)).write(path, content, options);
  }

  async append(path: string, text: string): Promise<void> {
    await (await this.toWrite(path)).append(path, text);
  }

  async createExclusive(path: string, content: string): Promise<boolean> {
    return (await this.toWrite(path)).createExclusive(path, content);
  }

  async makeDirectory(path: string, options?: WriteOptions): Promise<void> {
    await (await this.toWrite(path)).makeDirectory(path, options);
  }

  async move(from: string, to: string): Promise<void> {
    await (await this.toWrite(from)).move(from, to);
  }

  /** Undefined where there is nothing: all is absent there. */
  private async toRead(path: string): Promise<Files | undefined> {
    return this.isShared(path) ? this.near : (await this.reach())?.files;
  }

  private async toWrite(path: string): Promise<Files> {
    const files = await this.toRead(path);
    if (!files) throw this.absence();
    return files;
  }
}

export class LazySockets implements Sockets {
  constructor(
    private readonly reach: Reach,
    private readonly absence: Absence,
  ) {}

  async isListening(address: string): Promise<boolean> {
    return (await (await this.reach())?.sockets.isListening(address)) ?? false;
  }

  async connect(address: string): Promise<SocketStream> {
    return (await this.there()).connect(address);
  }

  async here(address: string): Promise<string> {
    return (await this.there()).here(address);
  }

  private async there(): Promise<Sockets> {
    const host = await this.reach();
    if (!host) throw this.absence();
    return host.sockets;
  }
}
