/**
 * The guest agent's commands that a machine driver needs, typed.
 *
 * Output of a program goes to files inside the guest and is read from there, because the agent itself hands output
 * over only when the program has ended, and libvirt drops answers above 4 MB.
 */
import { VnflabError } from "../../model/error.js";

/** Sends one agent command and gives what it returned. */
export type AgentSender = (execute: string, args: object, timeoutS: number) => Promise<unknown>;

export interface ExecStatus {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly signal?: number;
}

const PING_S = 3;
/** A guest whose cores all poll answers late; an answer that came too late would be an answer lost. */
const COMMAND_S = 60;
const READ_BYTES = 512 * 1024;
/** Commands of 256 KB and more never reach the agent (seen with qemu-ga 7.2 under libvirt 9.0). */
const WRITE_BYTES = 64 * 1024;
export const INPUT_MAX_BYTES = 64 * 1024;

export class GuestAgent {
  constructor(private readonly send: AgentSender) {}

  async ping(): Promise<void> {
    await this.send("guest-ping", {}, PING_S);
  }

  /** Starts a program; its pid. */
  async exec(argv: readonly string[], env: Readonly<Record<string, string>>, input?: Uint8Array): Promise<number> {
    const [path, ...arg] = argv;
    const { pid } = (await this.command("guest-exec", {
      path,
      arg,
      env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      "capture-output": false,
      ...(input ? { "input-data": Buffer.from(input).toString("base64") } : {}),
    })) as { pid: number };
    return pid;
  }

  async status(pid: number): Promise<ExecStatus> {
    return (await this.command("guest-exec-status", { pid })) as ExecStatus;
  }

  async open(path: string, mode: "r" | "w"): Promise<GuestFile> {
    const handle = (await this.command("guest-file-open", { path, mode })) as number;
    return new GuestFile((execute, args) => this.command(execute, args), handle);
  }

  async readFile(path: string): Promise<Uint8Array> {
    const file = await this.open(path, "r");
    return file.closeAfter(() => file.readRest());
  }

  async writeFile(path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const file = await this.open(path, "w");
    await file.closeAfter(async () => {
      for await (const chunk of content instanceof Uint8Array ? [content] : content) {
        for (let at = 0; at < chunk.length; at += WRITE_BYTES) await file.write(chunk.subarray(at, at + WRITE_BYTES));
      }
    });
  }

  private command(execute: string, args: object): Promise<unknown> {
    return this.send(execute, args, COMMAND_S);
  }
}

export class GuestFile {
  constructor(
    private readonly command: (execute: string, args: object) => Promise<unknown>,
    private readonly handle: number,
  ) {}

  /** All that there is from the current position on; a file that grows can be read again later. */
  async readRest(): Promise<Uint8Array> {
    const chunks: Buffer[] = [];
    for (;;) {
      const { bytes, eof } = await this.read();
      chunks.push(bytes);
      if (eof || bytes.length === 0) return Buffer.concat(chunks);
    }
  }

  /** The next chunk; empty at the end. */
  async readSome(): Promise<Uint8Array> {
    return (await this.read()).bytes;
  }

  private async read(): Promise<{ readonly bytes: Buffer; readonly eof: boolean }> {
    const args = { handle: this.handle, count: READ_BYTES };
    const read = (await this.command("guest-file-read", args)) as { count: number; "buf-b64": string; eof: boolean };
    return { bytes: Buffer.from(read.count > 0 ? read["buf-b64"] : "", "base64"), eof: read.eof };
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const rest = Buffer.from(chunk.subarray(at)).toString("base64");
      const args = { handle: this.handle, "buf-b64": rest };
      const { count } = (await this.command("guest-file-write", args)) as { count: number };
      if (count <= 0) throw new VnflabError("VNF_GUEST_COMMAND", "the guest agent wrote nothing");
      at += count;
    }
  }

  /** Closes the file whatever happens; what failed first is what is told. */
  async closeAfter<T>(use: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await use();
    } catch (error) {
      await this.close().catch(() => {});
      throw error;
    }
    await this.close();
    return result;
  }

  async close(): Promise<void> {
    await this.command("guest-file-close", { handle: this.handle });
  }
}
