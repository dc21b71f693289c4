/** Processes through zx, whose templates quote every value. Each process leads a group of its own. */
import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { $, type ProcessPromise, which } from "zx";
import { VnflabError } from "../model/error.js";
import type { Clock } from "./clock.js";
import {
  type ChildProcess,
  type CommandOptions,
  type DaemonOptions,
  type Exec,
  type ProcessIdentity,
  RUN_MS,
  type RunOptions,
  type RunResult,
  type SignalName,
} from "./exec.js";
import { hasEnded, type ProcStat, parseProcStat } from "./proc-stat.js";
import { ProcessOutput } from "./process-output.js";

const KILL_AFTER_MS = 2000;
const POLL_MS = 20;

export class RealExec implements Exec {
  constructor(private readonly clock: Clock) {}

  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const begun = this.clock.now();
    const result = await (await this.spawn(argv, { timeoutMs: RUN_MS, ...options })).wait();
    const late = options.timeoutMs === undefined && this.clock.now() - begun >= RUN_MS;
    return late ? { ...result, stderr: `${result.stderr}${argv[0]} was ended after ${RUN_MS / 1000} s\n` } : result;
  }

  async spawn(argv: readonly string[], options: RunOptions = {}): Promise<ChildProcess> {
    await this.requireProgram(argv);
    const { input, onOutput } = options;
    const running = $({
      ...shellOptions(options),
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(input === undefined ? {} : { input: typeof input === "string" ? input : Buffer.from(input) }),
    })`exec ${argv}`;
    const pid = pidOf(running.pid, argv);
    const output = new ProcessOutput(running, onOutput);
    const stopped = new AbortController();
    const result = endOf(running).then(async (exitCode): Promise<RunResult> => {
      stopped.abort();
      return { ...(await output.rest()), exitCode };
    });
    this.killWhenAsked(pid, options, stopped.signal);
    const startTicks = (await readProcess(pid))?.startTicks ?? 0;
    return { identity: { pid, startTicks }, signal: (name) => signalGroup(pid, name), wait: () => result };
  }

  async startDaemon(argv: readonly string[], options: DaemonOptions): Promise<ProcessIdentity> {
    await this.requireProgram(argv);
    const started = $({ ...shellOptions(options), stdio: "ignore" })`exec ${argv} >>${options.logFile} 2>&1`;
    const pid = pidOf(started.pid, argv);
    started.child?.unref();
    const seen = await readProcess(pid);
    if (!seen) {
      throw new VnflabError("VNF_INTERNAL", `${argv[0]} ended before it could be looked at; see ${options.logFile}`);
    }
    return { pid, startTicks: seen.startTicks };
  }

  async self(): Promise<ProcessIdentity> {
    const seen = await readProcess(process.pid);
    return { pid: process.pid, startTicks: seen?.startTicks ?? 0 };
  }

  async isAlive(identity: ProcessIdentity): Promise<boolean> {
    const seen = await readProcess(identity.pid);
    return seen !== undefined && !hasEnded(seen) && seen.startTicks === identity.startTicks;
  }

  async signal(identity: ProcessIdentity, name: SignalName): Promise<void> {
    if (await this.isAlive(identity)) signalGroup(identity.pid, name);
  }

  async runOnTerminal(argv: readonly string[], options: CommandOptions = {}): Promise<number> {
    await this.requireProgram(argv);
    // Not detached: a session of its own would have no terminal.
    const running = $({ ...shellOptions(options), detached: false, stdio: "inherit" })`exec ${argv}`;
    const { exitCode, signal } = await running;
    return exitCodeOf(exitCode, signal);
  }

  async stop(identity: ProcessIdentity, graceMs: number): Promise<boolean> {
    if (!(await this.isAlive(identity))) return false;
    signalGroupOrProcess(identity.pid, "SIGTERM");
    if (await this.endsWithin(identity, graceMs)) return false;
    signalGroupOrProcess(identity.pid, "SIGKILL");
    await this.endsWithin(identity, KILL_AFTER_MS);
    return true;
  }

  async which(program: string): Promise<string | undefined> {
    return (await which(program, { nothrow: true })) ?? undefined;
  }

  private async requireProgram(argv: readonly string[]): Promise<void> {
    const program = argv[0];
    if (program === undefined) throw new VnflabError("VNF_INTERNAL", "an empty command was to be run");
    if ((await this.which(program)) === undefined) {
      throw new VnflabError("VNF_TOOL_MISSING", `the program ${program} is not installed, or not in PATH`);
    }
  }

  private async endsWithin(identity: ProcessIdentity, ms: number): Promise<boolean> {
    const deadline = this.clock.now() + ms;
    while (await this.isAlive(identity)) {
      if (this.clock.now() >= deadline) return false;
      await this.clock.delay(POLL_MS);
    }
    return true;
  }

  /** Ends the process when its time is over or its signal aborts; lets go of both when it has ended by itself. */
  private killWhenAsked(pid: number, options: RunOptions, ended: AbortSignal): void {
    const end = async (): Promise<void> => {
      if (ended.aborted) return;
      signalGroup(pid, "SIGTERM");
      await this.clock.delay(KILL_AFTER_MS, ended).then(() => signalGroup(pid, "SIGKILL"), ignore);
    };
    if (options.timeoutMs !== undefined) this.clock.delay(options.timeoutMs, ended).then(end, ignore);
    if (options.signal?.aborted) void end();
    else options.signal?.addEventListener("abort", () => void end(), { once: true, signal: ended });
  }
}

function ignore(): void {}

function shellOptions(options: { cwd?: string; env?: Readonly<Record<string, string>> }) {
  return {
    quiet: true,
    nothrow: true,
    detached: true,
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  };
}

function pidOf(pid: number | undefined, argv: readonly string[]): number {
  if (pid === undefined) throw new VnflabError("VNF_INTERNAL", `${argv[0]} could not be started`);
  return pid;
}

/** Its own end, which zx does not tell: a child in the background may hold its pipes open for ever. */
function endOf(running: ProcessPromise): Promise<number> {
  return new Promise((resolve) => {
    running.child?.once("exit", (code, signal) => resolve(exitCodeOf(code, signal)));
  });
}

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? (signal ? 128 + constants.signals[signal] : 1);
}

/** What was found by its marks may be in the group of another; the caller has just seen it alive. */
function signalGroupOrProcess(pid: number, name: SignalName): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, name);
      return;
    } catch {
      // There is no such group, or it has ended in the meantime.
    }
  }
}

function signalGroup(pid: number, name: SignalName): void {
  try {
    process.kill(-pid, name);
  } catch {
    // The group has ended in the meantime.
  }
}

async function readProcess(pid: number): Promise<ProcStat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text === undefined ? undefined : parseProcStat(text);
}
