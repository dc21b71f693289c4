/** A host in memory: virtual time, files in a map, programs that are functions. For unit tests. */
import { VnflabError } from "../model/error.js";
import type { Clock } from "./clock.js";
import type {
  ChildProcess,
  CommandOptions,
  DaemonOptions,
  Exec,
  ProcessIdentity,
  RunOptions,
  RunResult,
  SignalName,
} from "./exec.js";
import type { FileContent, FileInfo, FileKind, Files, WriteOptions } from "./files.js";
import type { Host } from "./host.js";
import { lastLines } from "./real-files.js";
import type { SocketStream, Sockets } from "./sockets.js";

/** Time passes only when somebody waits for it. */
export class FakeClock implements Clock {
  private ms = 0;

  now(): number {
    return this.ms;
  }

  wallTime(): Date {
    return new Date(Date.UTC(2026, 0, 1) + this.ms);
  }

  async delay(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    // A turn of the event loop, so that others run in between as they would in real time. What they end takes no time.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    this.ms += ms;
  }
}

export class FakeFiles implements Files {
  private readonly entries = new Map<string, Uint8Array | "directory" | "socket">();
  private readonly modes = new Map<string, number>();

  /** Paths of all files and sockets; what must be empty after a clean-up. */
  paths(): string[] {
    return [...this.entries].filter(([, entry]) => entry !== "directory").map(([path]) => path);
  }

  putSocket(path: string): void {
    this.entries.set(path, "socket");
  }

  async kind(path: string): Promise<FileKind | undefined> {
    const entry = this.entries.get(path);
    if (entry instanceof Uint8Array) return "file";
    if (entry) return entry;
    return (await this.list(path)).length > 0 ? "directory" : undefined;
  }

  async info(path: string): Promise<FileInfo | undefined> {
    const kind = await this.kind(path);
    if (kind === undefined) return undefined;
    const sizeBytes = (await this.readBytes(path))?.length ?? 0;
    return { kind, sizeBytes, mode: this.modes.get(path) ?? (kind === "directory" ? 0o755 : 0o644) };
  }

  async *chunks(path: string, fromByte = 0): AsyncGenerator<Uint8Array> {
    const bytes = await this.readBytes(path);
    if (bytes && bytes.length > fromByte) yield bytes.subarray(fromByte);
  }

  async readText(path: string): Promise<string | undefined> {
    const bytes = await this.readBytes(path);
    return bytes && new TextDecoder().decode(bytes);
  }

  async readBytes(path: string): Promise<Uint8Array | undefined> {
    const entry = this.entries.get(path);
    return entry instanceof Uint8Array ? entry : undefined;
  }

  async write(path: string, content: FileContent, options: WriteOptions = {}): Promise<void> {
    this.entries.set(path, typeof content === "string" ? new TextEncoder().encode(content) : await collect(content));
    this.modes.set(path, options.mode ?? 0o644);
  }

  async append(path: string, text: string): Promise<void> {
    // Without a pause in between: appends at the same time must not lose each other.
    const before = this.entries.get(path);
    const known = before instanceof Uint8Array ? new TextDecoder().decode(before) : "";
    this.entries.set(path, new TextEncoder().encode(known + text));
  }

  async createExclusive(path: string, content: string): Promise<boolean> {
    if (this.entries.has(path)) return false;
    await this.write(path, content);
    return true;
  }

  async makeDirectory(path: string): Promise<void> {
    this.entries.set(path, "directory");
  }

  async list(path: string): Promise<string[]> {
    const below = [...this.entries.keys()].filter((entry) => entry.startsWith(`${path}/`));
    return [...new Set(below.map((entry) => entry.slice(path.length + 1).split("/")[0] ?? ""))].sort();
  }

  async remove(path: string): Promise<void> {
    for (const entry of [...this.entries.keys()]) {
      if (entry === path || entry.startsWith(`${path}/`)) this.entries.delete(entry);
    }
  }

  async removeEmpty(path: string): Promise<void> {
    if ((await this.list(path)).length === 0) this.entries.delete(path);
  }

  async move(from: string, to: string): Promise<void> {
    await this.remove(to);
    for (const [entry, content] of [...this.entries]) {
      if (entry !== from && !entry.startsWith(`${from}/`)) continue;
      this.entries.delete(entry);
      this.entries.set(to + entry.slice(from.length), content);
    }
  }

  async tail(path: string, lines: number): Promise<string[]> {
    return lastLines((await this.readText(path)) ?? "", lines);
  }
}

async function collect(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (content instanceof Uint8Array) return content;
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a fake program may do while it runs. */
export interface FakeProcess {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string | Uint8Array | undefined;
  print(stream: "stdout" | "stderr", text: string): void;
  /** Aborts, with the signal's name as reason, when the process is signalled. */
  readonly signalled: AbortSignal;
}

/** Returns the exit code; runs until then. */
export type FakeProgram = (process: FakeProcess) => Promise<number> | number;

interface Running extends ChildProcess {
  ended: boolean;
}

export class FakeExec implements Exec {
  private readonly programs = new Map<string, FakeProgram>();
  private readonly processes = new Map<number, Running>();
  /** Pids of those that were stopped and not continued. */
  readonly stopped = new Set<number>();
  private nextPid = 1000;

  constructor(
    private readonly files: FakeFiles,
    private readonly clock: Clock,
  ) {}

  install(program: string, behaviour: FakeProgram): void {
    this.programs.set(program, behaviour);
  }

  /** Pids of everything that still runs. */
  running(): number[] {
    return [...this.processes].filter(([, process]) => !process.ended).map(([pid]) => pid);
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return (await this.spawn(argv, options)).wait();
  }

  async spawn(argv: readonly string[], options: RunOptions = {}): Promise<ChildProcess> {
    const name = argv[0] ?? "";
    const program = this.programs.get(name) ?? this.programs.get(name.slice(name.lastIndexOf("/") + 1));
    if (!program) {
      throw new VnflabError("VNF_TOOL_MISSING", `the program ${name} is not installed, or not in PATH`);
    }
    const pid = this.nextPid++;
    const output = { stdout: "", stderr: "" };
    const signalled = new AbortController();
    const print: FakeProcess["print"] = (stream, text) => {
      output[stream] += text;
      options.onOutput?.(stream, text);
    };
    // A stopped process goes on as it was; nothing of it sees the signal.
    const stop = (name: SignalName) => {
      if (name === "SIGSTOP") this.stopped.add(pid);
      else if (name === "SIGCONT") this.stopped.delete(pid);
      else signalled.abort(name);
    };
    options.signal?.addEventListener("abort", () => stop("SIGTERM"), { once: true });
    const ended = Promise.resolve()
      .then(() => program({ argv, env: options.env ?? {}, input: options.input, print, signalled: signalled.signal }))
      .then((exitCode) => {
        process.ended = true;
        return { ...output, exitCode };
      });
    const process: Running = { identity: { pid, startTicks: pid }, ended: false, signal: stop, wait: () => ended };
    this.processes.set(pid, process);
    return process;
  }

  async startDaemon(argv: readonly string[], options: DaemonOptions): Promise<ProcessIdentity> {
    let logged = (await this.files.readText(options.logFile)) ?? "";
    const onOutput = (_stream: string, chunk: string) => {
      logged += chunk;
      void this.files.write(options.logFile, logged);
    };
    return (await this.spawn(argv, { ...(options.env ? { env: options.env } : {}), onOutput })).identity;
  }

  async self(): Promise<ProcessIdentity> {
    return { pid: 1, startTicks: 1 };
  }

  async isAlive({ pid, startTicks }: ProcessIdentity): Promise<boolean> {
    if (pid === 1) return startTicks === 1;
    return startTicks === pid && this.processes.get(pid)?.ended === false;
  }

  async signal(identity: ProcessIdentity, name: SignalName): Promise<void> {
    if (await this.isAlive(identity)) this.processes.get(identity.pid)?.signal(name);
  }

  async runOnTerminal(argv: readonly string[], options: CommandOptions = {}): Promise<number> {
    return (await this.run(argv, options)).exitCode;
  }

  async stop(identity: ProcessIdentity, graceMs: number): Promise<boolean> {
    if (!(await this.isAlive(identity))) return false;
    const process = this.processes.get(identity.pid);
    process?.signal("SIGTERM");
    for (let waited = 0; waited < graceMs; waited += 100) {
      if (process?.ended) return false;
      await this.clock.delay(100);
    }
    if (process) process.ended = true;
    return true;
  }

  async which(program: string): Promise<string | undefined> {
    return this.programs.has(program) ? `/usr/bin/${program}` : undefined;
  }
}

export class FakeSockets implements Sockets {
  /** Addresses on which somebody listens. */
  readonly listening = new Set<string>();

  async isListening(address: string): Promise<boolean> {
    return this.listening.has(address);
  }

  async connect(address: string): Promise<SocketStream> {
    if (!this.listening.has(address)) throw new Error(`connect ECONNREFUSED ${address}`);
    return { write() {}, onData() {}, closed: new Promise(() => {}), async [Symbol.asyncDispose]() {} };
  }

  async here(address: string): Promise<string> {
    return address;
  }
}

export interface FakeHost extends Host {
  readonly exec: FakeExec;
  readonly files: FakeFiles;
  readonly clock: FakeClock;
  readonly sockets: FakeSockets;
}

export function fakeHost(env: Readonly<Record<string, string>> = { HOME: "/home/u" }): FakeHost {
  const clock = new FakeClock();
  const files = new FakeFiles();
  const exec = new FakeExec(files, clock);
  return { clock, files, exec, sockets: new FakeSockets(), env, uid: 1000, node: "node", root: "/repo" };
}
