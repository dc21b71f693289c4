/** Programs that a measurement runs. None of them outlives it: stopAll() is called however it ends. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { findResult, type Result } from "./result.js";

const running = new Set<ChildProcess>();

/** Output of a command that must succeed. */
export function must(argv: readonly string[]): string {
  const { status, stdout, stderr, error } = attempt(argv);
  if (status !== 0) throw new Error(`${argv.join(" ")}: ${error ?? stderr.trim()}`);
  return stdout;
}

export function attempt(argv: readonly string[]): { status: number; stdout: string; stderr: string; error?: string } {
  const [command = "", ...rest] = argv;
  const { status, stdout, stderr, error } = spawnSync(command, rest, { encoding: "utf8" });
  const result = { status: status ?? 1, stdout: stdout ?? "", stderr: stderr ?? "" };
  return error ? { ...result, error: error.message } : result;
}

export class Program {
  #child: ChildProcess;
  #name: string;
  #stdout = "";
  #stderr = "";
  #onOutput: () => void = () => undefined;
  readonly #exit: Promise<number>;
  #exited = false;

  constructor(argv: readonly string[]) {
    const [command = "", ...rest] = argv;
    this.#name = argv.join(" ");
    this.#child = spawn(command, rest, { stdio: ["ignore", "pipe", "pipe"], detached: true });
    running.add(this.#child);
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#onOutput();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#exit = new Promise((resolve) => {
      this.#child.on("error", (error) => {
        this.#stderr += error.message;
        this.#end(127, resolve);
      });
      this.#child.on("close", (code, signal) => this.#end(code ?? (signal ? 128 : 1), resolve));
    });
  }

  #end(code: number, resolve: (code: number) => void): void {
    running.delete(this.#child);
    this.#exited = true;
    resolve(code);
    this.#onOutput();
  }

  /** Until a line of standard output has this text. */
  async said(text: string, timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(this.#failure(`did not say ${text} in ${timeoutMs} ms`)), timeoutMs);
      const look = () => {
        if (this.#stdout.includes(text)) resolve();
        else if (this.#exited) reject(this.#failure(`ended before it said ${text}`));
        else return;
        clearTimeout(late);
      };
      this.#onOutput = look;
      look();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  interrupt(): void {
    if (!this.#exited) this.#child.kill("SIGINT");
  }

  /** All of standard output of a program that ends well by itself. */
  async output(timeoutMs: number): Promise<string> {
    const late = setTimeout(() => this.#child.kill("SIGKILL"), timeoutMs);
    const code = await this.#exit;
    clearTimeout(late);
    if (code !== 0) throw this.#failure(`exit code ${code}`);
    return this.#stdout;
  }

  /** The line with its result, when it ends by itself or was interrupted. */
  async result(timeoutMs: number): Promise<Result> {
    const late = setTimeout(() => this.#child.kill("SIGKILL"), timeoutMs);
    const code = await this.#exit;
    clearTimeout(late);
    const result = findResult(this.#stdout);
    if (code !== 0 || result === undefined) throw this.#failure(`exit code ${code}`);
    return result;
  }

  #failure(why: string): Error {
    return new Error(`${this.#name}: ${why}\n${this.#stderr.split("\n").slice(-15).join("\n")}`);
  }
}

/** Ends what still runs, and waits until it is gone. */
export async function stopAll(): Promise<void> {
  const gone = [...running].map((child) => new Promise<void>((resolve) => child.once("close", () => resolve())));
  for (const child of running) child.kill("SIGKILL");
  await Promise.all(gone);
}
