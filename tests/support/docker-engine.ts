/** A Docker engine of the test's own: no network, nothing outside its folder but a cgroup while a container runs. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";

const START_MS = 30_000;

export class DockerEngine {
  private constructor(
    private readonly daemon: ChildProcess,
    private readonly socket: string,
  ) {}

  get address(): string {
    return `unix://${this.socket}`;
  }

  /** Throws with the last lines of its log when it does not come up: not every kernel lets it. */
  static async start(folder: string): Promise<DockerEngine> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const log = join(folder, "dockerd.log");
    const socket = join(folder, "docker.sock");
    const places = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "-H", `unix://${socket}`];
    const network = ["--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"];
    const output = openSync(log, "w");
    const argv = [...places, ...network, "--pidfile", join(folder, "pid")];
    const daemon = spawn("dockerd", argv, { stdio: ["ignore", output, output] });
    const engine = new DockerEngine(daemon, socket);
    let ended = false;
    daemon.once("exit", () => {
      ended = true;
    });
    daemon.once("error", () => {
      ended = true;
    });
    const end = performance.now() + START_MS;
    while (!ended && performance.now() < end) {
      if (await engine.ask("/version").catch(() => undefined)) return engine;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await engine.stop();
    throw new Error(`dockerd does not come up: ${readFileSync(log, "utf8").trim().split("\n").slice(-2).join(" / ")}`);
  }

  /** Names of all containers, running or not. */
  async containers(): Promise<string[]> {
    const all = (await this.ask("/containers/json?all=1")) as { Names: string[] }[];
    return all.flatMap(({ Names }) => Names);
  }

  async stop(): Promise<void> {
    if (this.daemon.exitCode !== null || this.daemon.pid === undefined) return;
    const ended = new Promise((resolve) => this.daemon.once("exit", resolve));
    this.daemon.kill("SIGTERM");
    await ended;
  }

  private ask(path: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.socket, path }, (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => resolve(JSON.parse(text)));
      });
      asked.on("error", reject).end();
    });
  }
}
