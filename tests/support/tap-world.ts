/**
 * A network namespace with tap interfaces in it: the Linux kernel at one end (10.99.0.1), a program on libmtcp at the
 * other (10.99.0.2), and nginx and small peers on the kernel's side. A second tap (10.98.0.1, 10.98.0.2) has a queue
 * for each of two workers. Needs root.
 */
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $, type ProcessPromise } from "zx";
import { REPOSITORY } from "./vnflab.js";

export const KERNEL = "10.99.0.1";
export const STACK = "10.99.0.2";
export const KERNEL_TWO_QUEUES = "10.98.0.1";
export const STACK_TWO_QUEUES = "10.98.0.2";
const APPS = join(REPOSITORY, "build/c/stack/apps");
const PEER = join(REPOSITORY, "tests/dist/support/kernel-peer.js");
const READY_MS = 15_000;

export type Report = Record<string, unknown>;

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The last JSON line of standard output. */
  readonly report: Report;
}

/** Why these scenarios cannot run here; undefined when they can. */
export function tapObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root for network namespaces";
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
  } catch {
    return "needs /dev/net/tun";
  }
  const absent = [PEER, ...["epserver", "epwget", "tcp_sink", "tcp_source", "udp_sink"].map((app) => join(APPS, app))]
    .concat(["/usr/bin/curl", "/usr/bin/wrk", "/usr/sbin/nginx"])
    .find((file) => !existsSync(file));
  return absent && `not there: ${absent}`;
}

/** A program that was started and has said that it is ready. */
class Running implements AsyncDisposable {
  constructor(private readonly process: ProcessPromise) {}

  /** Waits for a JSON line with `"event":"listening"`. */
  async ready(): Promise<this> {
    let seen = "";
    const listening = new Promise<boolean>((resolve) => {
      this.process.stdout.on("data", (chunk) => {
        seen += String(chunk);
        if (seen.includes('"event":"listening"')) resolve(true);
      });
      setTimeout(resolve, READY_MS, false).unref();
      this.process.finally(() => resolve(false));
    });
    if (await listening) return this;
    throw new Error(`does not come up: ${(await this.stop()).stderr}`);
  }

  /** Waits for its own end. */
  async finished(): Promise<Finished> {
    const { exitCode, stdout, stderr } = await this.process;
    const last = stdout.trim().split("\n").at(-1);
    return { exitCode: exitCode ?? -1, stdout, stderr, report: last?.startsWith("{") ? JSON.parse(last) : {} };
  }

  async stop(): Promise<Finished> {
    if (this.process.pid !== undefined) signal(this.process.pid, "SIGTERM");
    return this.finished();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

export class TapWorld implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "vnflab-tap-"));
  readonly www = join(this.folder, "www");
  private readonly namespace = `vnflab-tap-${process.pid}`;

  private constructor() {}

  static async open(): Promise<TapWorld> {
    const world = new TapWorld();
    const { namespace } = world;
    mkdirSync(world.www);
    await $({ quiet: true })`ip netns add ${namespace}`;
    await world.kernel("ip", "link", "set", "lo", "up");
    await world.tap("stack.conf", "vnftap0", "tap", KERNEL, STACK);
    await world.tap("two-queues.conf", "vnftap1", "tap multi_queue", KERNEL_TWO_QUEUES, STACK_TWO_QUEUES);
    return world;
  }

  private async tap(conf: string, name: string, mode: string, kernel: string, stack: string): Promise<void> {
    await this.kernel("ip", "tuntap", "add", "dev", name, "mode", ...mode.split(" "));
    await this.kernel("ip", "address", "add", `${kernel}/24`, "dev", name);
    await this.kernel("ip", "link", "set", name, "up");
    this.file(conf, `io = tap\nport = ${name}\naddress = ${stack}/24\nidle = sleep\nlog = warn\n`);
  }

  file(name: string, content: string | Buffer): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Runs a program on the kernel's side to its end; never throws for its exit code. */
  async kernel(...argv: string[]): Promise<Finished> {
    return new Running(this.spawn(argv)).finished();
  }

  /** Starts one of the applications on the stack, with one worker. */
  app(name: string, ...argv: string[]): Running {
    return new Running(this.spawn([join(APPS, name), "-f", join(this.folder, "stack.conf"), "--json", ...argv]));
  }

  /** The same with two workers, on the tap that has two queues. */
  appOnTwoCores(name: string, ...argv: string[]): Running {
    return this.app(name, "-f", join(this.folder, "two-queues.conf"), "-N", "2", ...argv);
  }

  /** Starts tests/support/kernel-peer.ts on the kernel's side. */
  peer(...argv: string[]): Running {
    return new Running(this.spawn([process.execPath, PEER, ...argv]));
  }

  /** nginx on the kernel's port 80, serving this.www. */
  async nginx(): Promise<Running> {
    const conf = this.file(
      "nginx.conf",
      `user root; worker_processes 1; daemon off; pid ${this.folder}/nginx.pid; error_log ${this.folder}/nginx.log;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path ${this.folder}/b; proxy_temp_path ${this.folder}/p;
  fastcgi_temp_path ${this.folder}/f; uwsgi_temp_path ${this.folder}/u; scgi_temp_path ${this.folder}/s;
  server { listen 80 backlog=1024; root ${this.www}; } }
`,
    );
    const nginx = new Running(this.spawn(["/usr/sbin/nginx", "-c", conf, "-p", this.folder]));
    const probe = await this.kernel(
      ..."curl -s -o /dev/null --retry 50 --retry-delay 0 --retry-max-time 10 --retry-connrefused".split(" "),
      `http://${KERNEL}/`,
    );
    if (probe.exitCode !== 0) throw new Error(`nginx does not come up: ${(await nginx.stop()).stderr}`);
    return nginx;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await $({ quiet: true, nothrow: true })`ip netns delete ${this.namespace}`;
    rmSync(this.folder, { recursive: true, force: true });
  }

  private spawn(argv: string[]): ProcessPromise {
    return $({ quiet: true, nothrow: true })`exec ip netns exec ${this.namespace} ${argv}`;
  }
}
