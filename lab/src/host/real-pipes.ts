import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { VnflabError } from "../model/error.js";
import type { Exec } from "./exec.js";
import type { Pipes, ReadingEnd } from "./pipes.js";

export class RealPipes implements Pipes {
  constructor(private readonly exec: Exec) {}

  async open(path: string): Promise<ReadingEnd> {
    const { exitCode, stderr } = await this.exec.run(["mkfifo", "-m", "600", path]);
    if (exitCode !== 0) throw new VnflabError("VNF_FILES", `the pipe ${path} cannot be made: ${stderr.trim()}`);
    // Opened without a writer it would otherwise wait for one.
    return new OpenPipe(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  }
}

class OpenPipe implements ReadingEnd {
  private socket: Socket | undefined;
  private closed = false;

  constructor(private readonly fd: number) {}

  /** The stream takes the descriptor over, so it is made only when somebody reads. */
  get content(): AsyncIterable<Uint8Array> {
    this.socket ??= new Socket({ fd: this.fd, readable: true, writable: false });
    return contentOf(this.socket);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.socket) this.socket.destroy();
    else closeSync(this.fd);
  }
}

/** Ends, and does not fail, when it is closed from this side. */
async function* contentOf(socket: Socket): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of socket as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE")) throw error;
  }
}
