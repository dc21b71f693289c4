/** A connection to another host, and programs there. */
import type { Duplex } from "node:stream";
import { Client, type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { quote } from "zx";
import { VnflabError } from "../../model/error.js";
import { type CommandOptions, RUN_MS } from "../exec.js";
import type { Host } from "../host.js";
import type { Destination } from "./destination.js";
import { isKnown, type KnownKey, knownKeys, refusal } from "./known-hosts.js";

const READY_MS = 20_000;
const KEEPALIVE_MS = 15_000;
/** The programs of the lab, over a slow line. */
const UPLOAD_MS = 1_800_000;
const COMPLAINTS_MAX = 4000;

export interface SshResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class SshConnection {
  private constructor(
    private readonly client: Client,
    private readonly destination: Destination,
  ) {}

  /** Throws VNF_SSH_HOST_KEY for a host that is not the known one, VNF_SSH when it cannot be reached or refuses. */
  static async open(near: Host, destination: Destination): Promise<SshConnection> {
    const keys = await knownKeys(near, destination);
    const failures: string[] = [];
    for (const login of await logins(near, destination)) {
      try {
        return new SshConnection(await connect(destination, keys, login), destination);
      } catch (error) {
        if (error instanceof VnflabError) throw error;
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    const { name, user, host, port } = destination;
    const why = failures.at(-1) ?? "there is no key to log in with, neither an agent's nor a file's";
    throw new VnflabError("VNF_SSH", `${name} (${user}@${host}, port ${port}) cannot be reached by ssh: ${why}`);
  }

  /** Runs a command to its end; the words are quoted for the shell there. The connection is closed on one that hangs. */
  async run(argv: readonly string[], input?: NodeJS.ReadableStream): Promise<SshResult> {
    const ms = input ? UPLOAD_MS : RUN_MS;
    let late: NodeJS.Timeout | undefined;
    const hangs = new Promise<never>((_resolve, reject) => {
      late = setTimeout(() => {
        this.client.destroy();
        reject(new VnflabError("VNF_SSH", `${this.destination.name}: ${argv[0]} has not ended in ${ms / 1000} s`));
      }, ms);
    });
    try {
      return await Promise.race([this.runToItsEnd(argv, input), hangs]);
    } finally {
      clearTimeout(late);
    }
  }

  private async runToItsEnd(argv: readonly string[], input?: NodeJS.ReadableStream): Promise<SshResult> {
    const { channel, exitCode } = await this.start(commandLine(argv, {}));
    const out: Record<"stdout" | "stderr", string> = { stdout: "", stderr: "" };
    channel.on("data", (chunk: Buffer) => {
      out.stdout += chunk.toString();
    });
    channel.stderr.on("data", (chunk: Buffer) => {
      out.stderr += chunk.toString();
    });
    if (input) input.pipe(channel);
    else channel.end();
    return { exitCode: await exitCode, ...out };
  }

  async stream(argv: readonly string[]): Promise<{ stream: Duplex; complaints: () => string }> {
    const { channel } = await this.start(commandLine(argv, {}));
    let said = "";
    channel.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-COMPLAINTS_MAX);
    });
    return { stream: channel, complaints: () => said };
  }

  /** On this process's terminal; gives the exit code. */
  async runOnTerminal(argv: readonly string[], options: CommandOptions): Promise<number> {
    const { stdin, stdout } = process;
    const size = () => ({ rows: stdout.rows ?? 24, cols: stdout.columns ?? 80, width: 0, height: 0 });
    const pty = { ...size(), term: process.env.TERM ?? "xterm" };
    const { channel, exitCode } = await this.start(commandLine(argv, options), pty);
    const resize = () => channel.setWindow(size().rows, size().cols, 0, 0);
    stdin.setRawMode?.(true);
    stdin.pipe(channel);
    channel.pipe(stdout, { end: false });
    stdout.on("resize", resize);
    try {
      return await exitCode;
    } finally {
      stdout.off("resize", resize);
      stdin.unpipe(channel);
      stdin.setRawMode?.(false);
      stdin.pause();
    }
  }

  close(): void {
    this.client.end();
  }

  /** A quick command's exit code comes together with its channel: whoever listens later misses it. */
  private start(command: string, pty?: object): Promise<{ channel: ClientChannel; exitCode: Promise<number> }> {
    return new Promise((resolve, reject) => {
      this.client.exec(command, pty ? { pty } : {}, (error, channel) => {
        if (!error) resolve({ channel, exitCode: exitOf(channel) });
        else reject(new VnflabError("VNF_SSH", `${this.destination.name}: ${error.message}`, { cause: error }));
      });
    });
  }
}

type Login = Pick<ConnectConfig, "agent" | "privateKey">;

/** The agent first, then each key file that needs no passphrase. */
async function logins(near: Host, { agent, identityFiles }: Destination): Promise<Login[]> {
  const files = await Promise.all(identityFiles.map((file) => near.files.readBytes(file).catch(() => undefined)));
  const keys = files.flatMap((key) => (key ? [{ privateKey: Buffer.from(key) }] : []));
  return [...(agent === undefined ? [] : [{ agent }]), ...keys];
}

function connect(destination: Destination, keys: readonly KnownKey[], login: Login): Promise<Client> {
  const { host, port, user } = destination;
  const client = new Client();
  let refused: VnflabError | undefined;
  const hostVerifier = (offered: Buffer): boolean => {
    if (isKnown(keys, offered)) return true;
    refused = refusal(destination, keys, offered);
    return false;
  };
  return new Promise((resolve, reject) => {
    client.once("ready", () => resolve(client));
    client.on("error", (error) => reject(refused ?? error));
    client.once("close", () => reject(refused ?? new Error("the host closed the connection")));
    client.connect({
      ...{ host, port, username: user, hostVerifier, readyTimeout: READY_MS, keepaliveInterval: KEEPALIVE_MS },
      ...login,
      algorithms: algorithmsOf(keys),
    });
  });
}

/** The host is asked for a key of a kind that is known, where it has several. */
function algorithmsOf(keys: readonly KnownKey[]): NonNullable<ConnectConfig["algorithms"]> {
  const types = new Set(keys.map(({ type }) => type));
  const kinds = [...types].flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]));
  return kinds.length === 0 ? {} : { serverHostKey: kinds as ServerHostKeyAlgorithm[] };
}

function commandLine(argv: readonly string[], { cwd, env }: CommandOptions): string {
  const words = env ? ["env", ...Object.entries(env).map(([key, value]) => `${key}=${value}`), ...argv] : argv;
  const command = `exec ${words.map(quote).join(" ")}`;
  return cwd === undefined ? command : `cd ${quote(cwd)} && ${command}`;
}

function exitOf(channel: ClientChannel): Promise<number> {
  return new Promise((resolve) => {
    let code = 255;
    channel.once("exit", (status: number | null) => {
      code = status ?? 255;
    });
    channel.once("close", () => resolve(code));
  });
}
