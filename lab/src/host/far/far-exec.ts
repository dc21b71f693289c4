/** Processes on the far side of a link. */
import { constants } from "node:os";
import {
  type ChildProcess,
  type CommandOptions,
  type DaemonOptions,
  type Exec,
  type OutputStream,
  type ProcessIdentity,
  RUN_MS,
  type RunOptions,
  type RunResult,
  type SignalName,
} from "../exec.js";
import { deferred } from "./deferred.js";
import type { FarLink } from "./link.js";
import type { Happening } from "./protocol.js";

/** A program with the user's terminal, which only the transport below the link can give: docker, ssh. */
export type FarTerminal = (argv: readonly string[], options: CommandOptions) => Promise<number>;

export class FarExec implements Exec {
  constructor(
    private readonly link: FarLink,
    private readonly terminal: FarTerminal,
  ) {}

  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return (await this.spawn(argv, { timeoutMs: RUN_MS, ...options })).wait();
  }

  async spawn(argv: readonly string[], options: RunOptions = {}): Promise<ChildProcess> {
    const { signal, onOutput, input, ...plain } = options;
    const ended = deferred<RunResult>();
    const output: Record<OutputStream, string> = { stdout: "", stderr: "" };
    const happened = (happening: Happening, bytes: Uint8Array) => {
      if ("output" in happening) {
        const chunk = Buffer.from(bytes).toString("utf8");
        output[happening.output] += chunk;
        onOutput?.(happening.output, chunk);
      } else if ("ended" in happening) ended.resolve({ ...output, exitCode: Number(happening.ended) });
    };
    // Whoever waits learns that it is gone, as of a process that was killed: the helper ends what it ran.
    const lost = (error: Error) =>
      ended.resolve({
        ...output,
        stderr: `${output.stderr}${error.message}\n`,
        exitCode: 128 + constants.signals.SIGKILL,
      });
    const { id, opened } = this.link.openStream<ProcessIdentity>(
      "exec.spawn",
      [argv, plain, ...(input === undefined ? [] : [Buffer.from(input)])],
      { happened, lost },
    );
    const identity = await opened;
    const end = () => void this.link.call("exec.end", [id]).catch(() => {});
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end, { once: true });
    void ended.promise.then(() => signal?.removeEventListener("abort", end));
    const send = (name: SignalName) => void this.signal(identity, name).catch(() => {});
    return { identity, signal: send, wait: () => ended.promise };
  }

  startDaemon(argv: readonly string[], options: DaemonOptions): Promise<ProcessIdentity> {
    return this.link.call("exec.startDaemon", [argv, options]);
  }

  /** The helper, which stands there for this process. */
  self(): Promise<ProcessIdentity> {
    return this.link.call("exec.self", []);
  }

  isAlive(process: ProcessIdentity): Promise<boolean> {
    return this.link.call("exec.isAlive", [process]);
  }

  async signal(process: ProcessIdentity, name: SignalName): Promise<void> {
    await this.link.call("exec.signal", [process, name]);
  }

  runOnTerminal(argv: readonly string[], options: CommandOptions = {}): Promise<number> {
    return this.terminal(argv, options);
  }

  stop(process: ProcessIdentity, graceMs: number): Promise<boolean> {
    return this.link.call("exec.stop", [process, graceMs]);
  }

  which(program: string): Promise<string | undefined> {
    return this.link.call("exec.which", [program]);
  }
}
