/** Runs the real `vnflab` command in a state folder of its own, and looks for what it leaves behind. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $, type ProcessPromise } from "zx";

export const REPOSITORY = join(import.meta.dirname, "../..");
const COMMAND = join(REPOSITORY, "lab/bin/vnflab.js");

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Vnflab {
  /** `uid`: the command runs as this user. */
  constructor(private readonly as: { readonly uid?: number } = {}) {}

  readonly folder = join(tmpdir(), `vnflab-${randomBytes(3).toString("hex")}`);
  readonly state = join(this.folder, "state");
  readonly run = join(this.folder, "run");

  /** Starts the command and does not wait for it; with more variables in its environment. */
  start(argv: readonly string[], more: Readonly<Record<string, string>> = {}): ProcessPromise {
    const env = { ...process.env, ...more, VNFLAB_STATE: this.state, VNFLAB_RUN: this.run };
    const options = { env, nothrow: true, quiet: true, cwd: REPOSITORY };
    const { uid } = this.as;
    if (uid === undefined) return $(options)`exec ${process.execPath} ${COMMAND} ${argv}`;
    const user = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    const command = [...user, "env", `HOME=${this.folder}`, process.execPath, COMMAND, ...argv];
    return $(options)`exec ${command}`;
  }

  /** Starts the command and sends it a signal once it has said these words on standard error. */
  async signalAt(words: string, signal: "SIGINT" | "SIGKILL", ...argv: string[]): Promise<Run> {
    const running = this.start(argv);
    let seen = "";
    await new Promise<void>((resolve) => {
      running.stderr.on("data", (chunk) => {
        seen += chunk;
        if (seen.includes(words)) resolve();
      });
      running.finally(resolve);
    });
    process.kill(running.pid as number, signal);
    const { exitCode, stdout, stderr } = await running;
    return { exitCode: exitCode ?? -1, stdout, stderr };
  }

  async command(...argv: string[]): Promise<Run> {
    const { exitCode, stdout, stderr } = await this.start(argv);
    return { exitCode: exitCode ?? -1, stdout, stderr };
  }

  /** Runs `up` and kills it when so many lines of its journal are on disk; true when it was killed. */
  async upKilledAfter(lines: number, lab: string): Promise<boolean> {
    const { exitCode, signal, stderr } = await this.start(["up", lab], { VNFLAB_TEST_KILL: String(lines) });
    if (signal === "SIGKILL") return true;
    if (exitCode !== 0) throw new Error(`vnflab up ${lab}: exit code ${exitCode}\n${stderr}`);
    return false;
  }

  /** Throws, with all that the command said, when it fails. */
  async must(...argv: string[]): Promise<Run> {
    const run = await this.command(...argv);
    if (run.exitCode !== 0) throw new Error(`vnflab ${argv.join(" ")}: exit code ${run.exitCode}\n${run.stderr}`);
    return run;
  }

  async json<T>(...argv: string[]): Promise<T> {
    return JSON.parse((await this.must(...argv, "--json")).stdout) as T;
  }

  /** Until it is disposed, labs that this process brings up by itself (`Lab.up`) are in the same folders. */
  here(): Disposable {
    const before = { ...process.env };
    const ours = { VNFLAB_STATE: this.state, VNFLAB_RUN: this.run };
    Object.assign(process.env, ours);
    return {
      [Symbol.dispose]: () => {
        for (const name of Object.keys(ours)) delete process.env[name];
        Object.assign(process.env, before);
      },
    };
  }

  /** Takes down every lab that a failed test may have left. */
  async downAll(): Promise<void> {
    const labs = existsSync(join(this.state, "labs")) ? readdirSync(join(this.state, "labs")) : [];
    for (const lab of labs) await this.command("down", lab);
  }

  /** Everything of the labs that is still there: processes, listening sockets, mounts, files outside the state folder. */
  leftovers(): string[] {
    const lines = (file: string) =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line.includes(this.run));
    const folders = ["labs", "locks", "removing"].map((name) => join(this.state, name));
    return [
      ...this.processes().map((pid) => `process ${pid}: ${ofProcess(pid, "cmdline")}`),
      ...lines("/proc/net/unix").map((line) => `socket ${line}`),
      ...lines("/proc/self/mounts").map((line) => `mount ${line}`),
      ...(existsSync(this.run) ? [`folder ${this.run}: ${readdirSync(this.run).join(" ")}`] : []),
      ...(existsSync(`${this.run}.lock`) ? [`file ${this.run}.lock`] : []),
      ...folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [])),
    ];
  }

  /** Processes that the labs have started: they have the run folder in their command line or their environment. */
  processes(): number[] {
    const pids = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    const marked = (pid: number) =>
      ofProcess(pid, "cmdline").includes(this.run) || ofProcess(pid, "environ").includes(`VNFLAB_LAB=${this.run}/`);
    return pids.filter(marked);
  }

  /** Nothing is made before the tests begin: a scenario that is skipped leaves nothing either. */
  make(): void {
    mkdirSync(this.folder, { mode: 0o700, recursive: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Empty when the process has ended. */
function ofProcess(pid: number, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

/** The first of these files that is not there, as a reason to skip; a test that is skipped says it in its name. */
export function missing(files: readonly string[]): string | undefined {
  const absent = files.find((file) => !existsSync(join(REPOSITORY, file)));
  return absent === undefined ? undefined : `not built: ${absent}`;
}
