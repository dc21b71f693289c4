/** Sockets on the far side of a link, and a way for those who need a socket of this host to use one of them. */
import { rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import type { SocketStream, Sockets } from "../sockets.js";
import { deferred } from "./deferred.js";
import type { FarLink } from "./link.js";
import type { Happening } from "./protocol.js";

export class FarSockets implements Sockets, AsyncDisposable {
  private readonly tunnels = new Map<string, Promise<{ path: string; server: Server }>>();

  constructor(
    private readonly link: FarLink,
    /** Gives a path for a socket of this host that nobody has yet, in a folder of this user alone. */
    private readonly nextPath: () => Promise<string>,
  ) {}

  isListening(address: string): Promise<boolean> {
    return this.link.call("sockets.isListening", [address]);
  }

  async connect(address: string): Promise<SocketStream> {
    const stream = new FarSocketStream(this.link);
    await stream.open(address);
    return stream;
  }

  /** One tunnel an address, for as long as this process lives. */
  async here(address: string): Promise<string> {
    const tunnel = this.tunnels.get(address) ?? this.makeTunnel(address);
    this.tunnels.set(address, tunnel);
    return `unix:${(await tunnel).path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const tunnel of this.tunnels.values()) {
      const { path, server } = await tunnel;
      server.close();
      await rm(path, { force: true });
    }
  }

  private async makeTunnel(address: string): Promise<{ path: string; server: Server }> {
    const path = await this.nextPath();
    const server = createServer((near) => void this.join(near, address));
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    // The process may end while nobody uses the tunnel.
    server.unref();
    return { path, server };
  }

  private async join(near: Socket, address: string): Promise<void> {
    near.on("error", () => {});
    try {
      const far = await this.connect(address);
      far.onData((bytes) => near.write(bytes));
      near.on("data", (bytes: Buffer) => far.write(bytes));
      near.on("close", () => void far[Symbol.asyncDispose]());
      await far.closed;
    } catch {
      // Nobody accepts there: the near side sees its connection end, as it would on one host.
    }
    near.destroy();
  }
}

class FarSocketStream implements SocketStream {
  private id = 0;
  private readonly ended = deferred<void>();
  private readonly early: Uint8Array[] = [];
  private listener: ((data: Uint8Array) => void) | undefined;

  constructor(private readonly link: FarLink) {}

  get closed(): Promise<void> {
    return this.ended.promise;
  }

  async open(address: string): Promise<void> {
    const happened = (happening: Happening, bytes: Uint8Array) => {
      if ("closed" in happening) this.ended.resolve();
      else if (this.listener) this.listener(bytes);
      else this.early.push(bytes);
    };
    const listener = { happened, lost: () => this.ended.resolve() };
    const { id, opened } = this.link.openStream<void>("sockets.connect", [address], listener);
    this.id = id;
    await opened;
  }

  write(data: Uint8Array): void {
    void this.link.call("sockets.write", [this.id, data]).catch(() => {});
  }

  onData(listener: (data: Uint8Array) => void): void {
    this.listener = listener;
    for (const data of this.early.splice(0)) listener(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link.call("sockets.close", [this.id]).catch(() => {});
  }
}
