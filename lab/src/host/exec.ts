/**
 * Processes: the interface. real-exec.ts is the only file of the lab that starts any.
 *
 * Commands are argument vectors; no shell string is ever built from data. A process that outlives this one is known
 * by pid and start time together, so that a recycled pid is never taken for it, and never killed.
 */

/** How long a tool that is run to its end may take, unless it is known to take longer. */
export const RUN_MS = 120_000;

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunOptions extends CommandOptions {
  readonly input?: string | Uint8Array;
  /** The process gets SIGTERM, then SIGKILL, when this time is over. For run() there is always one: RUN_MS. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onOutput?: (stream: OutputStream, chunk: string) => void;
}

export interface DaemonOptions extends CommandOptions {
  /** Standard output and error are appended to this file. */
  readonly logFile: string;
}

export type OutputStream = "stdout" | "stderr";
export type SignalName = "SIGINT" | "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT";

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 + signal number when a signal ended the process, as shells have it. */
  readonly exitCode: number;
}

/** A process that this one started and will see ending. */
export interface ChildProcess {
  readonly identity: ProcessIdentity;
  signal(name: SignalName): void;
  /** Never rejects: a failing command is a result. */
  wait(): Promise<RunResult>;
}

/** A process that may outlive this one. Plain data, so that it can be written to a file. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTicks: number;
}

export interface Exec {
  /** Runs to the end; a non-zero exit code is a result, also of what was ended after its time. Throws VNF_TOOL_MISSING when there is no such program. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /**
   * Starts and returns at once; in its own process group, so that a Ctrl-C at the terminal does not reach it. It ends
   * when it ends itself, whatever it leaves in the background.
   */
  spawn(argv: readonly string[], options?: RunOptions): Promise<ChildProcess>;
  /** Starts a detached process, which lives on when this one ends. */
  startDaemon(argv: readonly string[], options: DaemonOptions): Promise<ProcessIdentity>;
  /** The identity of this process itself, for locks. */
  self(): Promise<ProcessIdentity>;
  isAlive(process: ProcessIdentity): Promise<boolean>;
  /** To the whole group of the process; a dead one is no error. */
  signal(process: ProcessIdentity, name: SignalName): Promise<void>;
  /** Runs with this process's own terminal as input and output, such as a shell; gives the exit code. */
  runOnTerminal(argv: readonly string[], options?: CommandOptions): Promise<number>;
  /** SIGTERM, then SIGKILL after the grace; true when it had to be killed. A dead process is no error. */
  stop(process: ProcessIdentity, graceMs: number): Promise<boolean>;
  /** Full path of a program, or undefined. */
  which(program: string): Promise<string | undefined>;
}
