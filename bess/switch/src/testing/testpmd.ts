// SPDX-License-Identifier: BSD-3-Clause
// DPDK's own traffic program as a guest: one virtio_user port on a vhost-user socket, steered through its prompt.
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { runtimeDir } from "./daemon.js";
import { until } from "./until.js";

export interface PeerOptions {
  socket: string;
  mac: string;
  /** "txonly" sends to `to` as fast as it can, "rxonly" counts, "macswap" returns. */
  mode: "txonly" | "rxonly" | "macswap";
  to?: string;
  /** What "txonly" sends: frames of one flow, or of 256 that differ in their source address. One when absent. */
  flows?: "one" | "many";
  /** 1 when absent. */
  queues?: number;
  core: number;
  /** It makes the socket and the switch connects, instead of the other way round: then it survives the switch. */
  server?: boolean;
}

export interface PeerCount {
  received: number;
  sent: number;
}

/** Why the tests that need peers cannot run here; undefined when they can. */
export function whyNoTestpmd(): string | undefined {
  const found = spawnSync("dpdk-testpmd", ["--help"], { stdio: "ignore" });
  return found.error === undefined ? undefined : "no dpdk-testpmd: install the package dpdk-dev";
}

let count = 0;

export class Testpmd {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #prefix = `vportd-peer-${process.pid}-${count++}`;
  #output = "";
  #errors = "";

  private constructor({ socket, mac, mode, to, flows, queues = 1, core, server }: PeerOptions) {
    this.#child = spawn("stdbuf", [
      ...["-oL", "dpdk-testpmd"], // into a pipe it would keep its answers until a buffer is full
      ...["--lcores", `0@${core},1@${core}`, "--no-huge", "-m", "128", "--no-pci", "--no-telemetry", "--no-shconf"],
      ...["--file-prefix", this.#prefix],
      ...["--vdev", `net_virtio_user0,path=${socket},mac=${mac},queues=${queues}${server ? ",server=1" : ""}`],
      ...["--", "-i", "--nb-cores=1", "--total-num-mbufs=4096", `--forward-mode=${mode}`],
      ...[`--rxq=${queues}`, `--txq=${queues}`],
      ...(to === undefined ? [] : [`--eth-peer=0,${to}`]),
      ...(flows === "many" ? ["--txonly-multi-flow"] : []),
    ]);
    this.#child.stdout.on("data", (data: Buffer) => {
      this.#output += data.toString();
    });
    // Apart: a line of it may come in the middle of the prompt, which is written letter by letter.
    this.#child.stderr.on("data", (data: Buffer) => {
      this.#errors += data.toString();
    });
  }

  /** At its prompt, not yet forwarding. */
  static async start(options: PeerOptions): Promise<Testpmd> {
    const peer = new Testpmd(options);
    try {
      await peer.#seen(/testpmd> /, 0);
      return peer;
    } catch (error) {
      await peer.end("SIGKILL");
      throw error;
    }
  }

  async #seen(text: RegExp, from: number): Promise<RegExpExecArray> {
    const found = await until(
      async () => text.exec(this.#output.slice(from)),
      (match) => match !== null || this.#child.exitCode !== null,
    ).catch((error: Error) => {
      throw new RangeError(`${error.message}; testpmd said: ${this.#output.slice(from)}${this.#errors}`);
    });
    if (found === null) throw new RangeError(`testpmd ended: ${this.#output}${this.#errors}`);
    return found;
  }

  /** Carried out in order, some time later. */
  command(text: "start" | "stop"): void {
    this.#child.stdin.write(`${text}\n`);
  }

  async count(): Promise<PeerCount> {
    const from = this.#output.length;
    this.#child.stdin.write("show port stats 0\n");
    const [, received, sent] = await this.#seen(
      /RX-packets:\s*(\d+) [\s\S]*TX-packets:\s*(\d+) [\s\S]*Throughput/,
      from,
    );
    return { received: Number(received), sent: Number(sent) };
  }

  /** What each queue has received. */
  async receivedByQueue(): Promise<number[]> {
    const from = this.#output.length;
    this.#child.stdin.write("show port xstats 0\n");
    const [text] = await this.#seen(/NIC extended statistics for port 0[\s\S]*testpmd> /, from);
    return [...text.matchAll(/rx_q\d+_good_packets: (\d+)/g)].map(([, packets]) => Number(packets));
  }

  async end(signal: "SIGKILL" | "quit" = "quit"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    if (signal === "quit") this.#child.stdin.write("stop\nquit\n");
    else this.#child.kill(signal);
    await exit;
    rmSync(runtimeDir(this.#prefix), { recursive: true, force: true });
  }
}
