/** An ssh server of the test's own on loopback, with keys of its own, and the client's configuration that reaches it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

const START_MS = 10_000;

export class SshServer {
  private constructor(
    private readonly daemon: ChildProcess,
    /** For VNFLAB_SSH_CONFIG; the host is called `there`. */
    readonly config: string,
  ) {}

  static async start(folder: string, env: Readonly<Record<string, string>>): Promise<SshServer> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Its privilege separation wants this folder, wherever its other things are.
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    const at = (name: string) => join(folder, name);
    for (const key of ["host", "user"]) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(key)]);
    copyFileSync(at("user.pub"), at("authorized_keys"));
    const port = await freePort();
    const server = [
      ...[`Port ${port}`, "ListenAddress 127.0.0.1", `HostKey ${at("host")}`, "PidFile none", "UsePAM no"],
      ...[`AuthorizedKeysFile ${at("authorized_keys")}`, "StrictModes no", "PasswordAuthentication no"],
      ...[
        "PermitRootLogin yes",
        `SetEnv ${Object.entries(env)
          .map((pair) => pair.join("="))
          .join(" ")}`,
      ],
    ];
    writeFileSync(at("sshd_config"), `${server.join("\n")}\n`);
    const key = readFileSync(at("host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    writeFileSync(at("known_hosts"), `[127.0.0.1]:${port} ${key}\n`);
    const client = [
      ...["Host there", "HostName 127.0.0.1", `Port ${port}`, "User root", `IdentityFile ${at("user")}`],
      ...["IdentityAgent none", `UserKnownHostsFile ${at("known_hosts")}`],
    ];
    writeFileSync(at("ssh_config"), `${client.join("\n")}\n`);
    const daemon = spawn("/usr/sbin/sshd", ["-D", "-f", at("sshd_config"), "-E", at("log")], { stdio: "ignore" });
    const end = performance.now() + START_MS;
    while (!(await isListening(port))) {
      if (performance.now() > end || daemon.exitCode !== null)
        throw new Error(`sshd: ${readFileSync(at("log"), "utf8")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return new SshServer(daemon, at("ssh_config"));
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.daemon.once("exit", resolve));
    this.daemon.kill("SIGTERM");
    await ended;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
