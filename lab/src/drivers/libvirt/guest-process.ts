/**
 * A program that runs in a guest: started by the guest agent, its output collected in two files there.
 *
 * A watch polls the program and hands new output over as it appears. It never sleeps blindly: the pause doubles while
 * nothing happens and begins anew with every output.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../host/clock.js";
import type { OutputStream, RunResult, SignalName } from "../../host/exec.js";
import type { GuestCommand, GuestProcess } from "../machine-driver.js";
import { type ExecStatus, type GuestAgent, type GuestFile, INPUT_MAX_BYTES } from "./guest-agent.js";

const FIRST_PAUSE_MS = 15;
const LAST_PAUSE_MS = 240;
const STREAMS = ["stdout", "stderr"] as const;
/**
 * Argument 1 is the folder, 2 and 3 the files, 4 the file with the standard input, which is gone as soon as it is open, or
 * nothing; the rest is the command. A missing command gives 127, as in any shell.
 */
const WRAPPER =
  'mkdir -p "$1"; o=$2 e=$3 i=$4; shift 4; [ -z "$i" ] || { exec <"$i"; rm -f "$i"; }; exec "$@" >"$o" 2>"$e"';

export interface GuestShell {
  readonly agent: GuestAgent;
  readonly clock: Clock;
  /** Folder in the guest for the output files. */
  readonly workDir: string;
  readonly env: Readonly<Record<string, string>>;
  /**
   * Called when the agent failed: gives the error to end with, or undefined to ask the agent again; "anew" when it could
   * not have answered, so that the time until now does not count.
   */
  readonly giveUp: (failure: unknown, failingForMs: number) => Promise<Error | "anew" | undefined>;
}

export async function startGuestProcess(shell: GuestShell, command: GuestCommand): Promise<GuestProcess> {
  const { input } = command;
  const base = `${shell.workDir}/exec-${randomUUID().slice(0, 8)}`;
  const paths = { stdout: `${base}.out`, stderr: `${base}.err` };
  const env = { ...shell.env, ...command.env };
  // The agent takes little input itself; the folder is there once the machine is configured.
  const big = input !== undefined && input.length > INPUT_MAX_BYTES;
  if (big) await shell.agent.writeFile(`${base}.in`, input);
  const files = [shell.workDir, paths.stdout, paths.stderr, big ? `${base}.in` : ""];
  const argv = ["/bin/sh", "-c", WRAPPER, "sh", ...files, ...command.argv];
  const pid = await shell.agent.exec(argv, env, big ? undefined : input);
  const watch = new Watch(shell, pid, paths, command.onOutput);
  const ended = watch.run();
  // Whoever does not wait must not be hit by an unhandled rejection.
  ended.catch(() => {});
  return {
    signal: (name) => signalGuest(shell, pid, name),
    wait: () => ended,
  };
}

async function signalGuest(shell: GuestShell, pid: number, name: SignalName): Promise<void> {
  const script = 'kill -s "$1" "$2" 2>/dev/null || :';
  await shell.agent.exec(["/bin/sh", "-c", script, "sh", name.slice("SIG".length), String(pid)], shell.env);
}

class Watch {
  private readonly files: Partial<Record<OutputStream, GuestFile>> = {};
  private readonly decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  private readonly output = { stdout: "", stderr: "" };
  private failingSince: number | undefined;

  constructor(
    private readonly shell: GuestShell,
    private readonly pid: number,
    private readonly paths: Readonly<Record<OutputStream, string>>,
    private readonly onOutput: GuestCommand["onOutput"],
  ) {}

  async run(): Promise<RunResult> {
    const status = await this.untilExit();
    await this.insist(() => this.collect(true));
    await this.tidy();
    return { ...this.output, exitCode: status.signal === undefined ? (status.exitcode ?? 0) : 128 + status.signal };
  }

  private async untilExit(): Promise<ExecStatus> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
      const status = await this.insist(() => this.shell.agent.status(this.pid));
      if (status.exited) return status;
      if (this.onOutput && (await this.insist(() => this.collect(false)))) pause = FIRST_PAUSE_MS;
      await this.shell.clock.delay(pause);
    }
  }

  /** Hands over what is new; true when there was something. Without a listener all is read at the end. */
  private async collect(last: boolean): Promise<boolean> {
    let any = false;
    for (const stream of STREAMS) {
      const file = await this.file(stream, last);
      const bytes = file ? await file.readRest() : new Uint8Array();
      const text = this.decoders[stream].decode(bytes, { stream: !last });
      if (text === "") continue;
      any = true;
      this.output[stream] += text;
      this.onOutput?.(stream, text);
    }
    return any;
  }

  /** The shell makes the files shortly after it has been started; until then there is no output. */
  private async file(stream: OutputStream, last: boolean): Promise<GuestFile | undefined> {
    try {
      this.files[stream] ??= await this.shell.agent.open(this.paths[stream], "r");
    } catch (error) {
      if (last || !isMissingFile(error)) throw error;
    }
    return this.files[stream];
  }

  private async tidy(): Promise<void> {
    try {
      for (const stream of STREAMS) await this.files[stream]?.close();
      await this.shell.agent.exec(["/bin/rm", "-f", this.paths.stdout, this.paths.stderr], this.shell.env);
    } catch {
      // The result is complete; two files in a guest's memory are not worth losing it.
    }
  }

  /** Asks again as long as the machine lives and the agent is only slow. */
  private async insist<T>(ask: () => Promise<T>): Promise<T> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LAST_PAUSE_MS)) {
      try {
        const answer = await ask();
        this.failingSince = undefined;
        return answer;
      } catch (failure) {
        this.failingSince ??= this.shell.clock.now();
        const verdict = await this.shell.giveUp(failure, this.shell.clock.now() - this.failingSince);
        if (verdict instanceof Error) throw verdict;
        if (verdict === "anew") this.failingSince = undefined;
      }
      await this.shell.clock.delay(pause);
    }
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && /No such file or directory/i.test(error.message);
}
