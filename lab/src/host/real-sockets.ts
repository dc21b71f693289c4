import { createConnection, type Socket } from "node:net";
import type { SocketStream, Sockets } from "./sockets.js";

const PROBE_TIMEOUT_MS = 1000;

export class RealSockets implements Sockets {
  async isListening(address: string): Promise<boolean> {
    try {
      await using _stream = await this.connect(address);
      return true;
    } catch {
      return false;
    }
  }

  connect(address: string): Promise<SocketStream> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(addressOptions(address));
      socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy(new Error(`no answer from ${address}`)));
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.setTimeout(0);
        socket.off("error", reject);
        resolve(new RealStream(socket));
      });
    });
  }

  async here(address: string): Promise<string> {
    return address;
  }
}

class RealStream implements SocketStream {
  readonly closed: Promise<void>;

  constructor(private readonly socket: Socket) {
    // An error is followed by "close", which is all that a user of the stream needs.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  write(data: Uint8Array): void {
    this.socket.write(data);
  }

  onData(listener: (data: Uint8Array) => void): void {
    this.socket.on("data", listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}

function addressOptions(address: string): { path: string } | { host: string; port: number } {
  if (address.startsWith("unix:")) return { path: address.slice("unix:".length) };
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
