// SPDX-License-Identifier: BSD-3-Clause
// A vportd of its own for a test, in a folder of its own.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIBRARY } from "../dataplane/native.js";
import { Rpc } from "./rpc.js";

const BIN = fileURLToPath(new URL("../../bin/vportd.js", import.meta.url));
const READY_MS = 60_000;

/** Where DPDK keeps a process's run-time files. */
export function runtimeDir(filePrefix: string): string {
  const base = process.getuid?.() === 0 ? "/var/run" : (process.env.XDG_RUNTIME_DIR ?? "/tmp");
  return join(base, "dpdk", filePrefix);
}

/** Why the tests that need DPDK cannot run here; undefined when they can. */
export function whyNoDataPlane(): string | undefined {
  const library = process.env.VPORTD_DATAPLANE ?? DEFAULT_LIBRARY;
  return existsSync(library) ? undefined : `no data plane at ${library}: build it, or set VPORTD_DATAPLANE`;
}

export class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess;
  #errors = "";

  private constructor(
    readonly dir: string,
    readonly address: string,
    readonly rpc: Rpc,
    readonly prefix: string,
    args: string[],
  ) {
    this.#child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    this.#child.stderr?.on("data", (data: Buffer) => {
      this.#errors += data.toString();
    });
  }

  /** Serving; throws with its messages when it ends instead. */
  static async start(...extra: string[]): Promise<Daemon> {
    const dir = mkdtempSync(join(tmpdir(), "vportd-test-"));
    const address = `unix:${join(dir, "b.sock")}`;
    const prefix = basename(dir);
    const daemon = new Daemon(dir, address, new Rpc(address), prefix, [
      ...["--listen", address, "--hugepages", "off", "--mem", "128"],
      ...["--log-file", join(dir, "log"), "--pid-file", join(dir, "pid"), "--file-prefix", prefix],
      ...extra,
    ]);
    const ended = once(daemon.#child, "exit").then(([code]) => {
      throw new RangeError(`vportd ended with ${code}: ${daemon.#errors}`);
    });
    await Promise.race([daemon.rpc.ready(READY_MS), ended]);
    ended.catch(() => undefined);
    return daemon;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get log(): string {
    return readFileSync(join(this.dir, "log"), "utf8");
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** A pipe in the daemon's folder, whose reader throws away what comes. */
  async openPipe(): Promise<{ path: string; close(): Promise<void> }> {
    const path = this.path(`pipe${Math.random()}`);
    execFileSync("mkfifo", [path]);
    const reader = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
    reader.resume();
    const closed = once(reader, "close");
    return {
      path,
      async close() {
        reader.destroy();
        await closed;
      },
    };
  }

  /** Sends the signal, if any, and waits for the end: its exit code, or the signal that ended it. */
  async end(signal: NodeJS.Signals | undefined): Promise<number | string> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return exitCode ?? signalCode ?? "";
    const exit = once(this.#child, "exit");
    if (signal !== undefined) this.#child.kill(signal);
    const [code, by] = (await exit) as [number | null, string | null];
    return code ?? by ?? "";
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async stop(): Promise<void> {
    this.rpc[Symbol.dispose]();
    await this.end("SIGTERM");
    for (const dir of [this.dir, runtimeDir(this.prefix)]) rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs vportd to its end, for command lines that are refused. */
export async function runToEnd(...args: string[]): Promise<{ code: number; errors: string }> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (data: Buffer) => {
    errors += data.toString();
  });
  const [code] = (await once(child, "close")) as [number];
  return { code, errors };
}
