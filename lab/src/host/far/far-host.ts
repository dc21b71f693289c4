/** A Host on the other side of a byte stream, at whose far end the helper serves. */
import type { Duplex } from "node:stream";
import type { Clock } from "../clock.js";
import type { Host } from "../host.js";
import { FarExec, type FarTerminal } from "./far-exec.js";
import { FarFiles } from "./far-files.js";
import { FarSockets } from "./far-sockets.js";
import { FarLink, type LinkOptions } from "./link.js";

/** The helper, from the repository's folder. */
export const HELPER = "lab/dist/host/far/main.js";

export interface FarHostOptions extends LinkOptions {
  readonly clock: Clock;
  readonly terminal: FarTerminal;
  /** See FarSockets. */
  readonly nextSocketPath: () => Promise<string>;
}

export interface FarHost extends Host, AsyncDisposable {
  readonly isLost: boolean;
}

export async function openFarHost(stream: Duplex, options: FarHostOptions): Promise<FarHost> {
  const { link, hello } = await FarLink.open(stream, options);
  const sockets = new FarSockets(link, options.nextSocketPath);
  return {
    clock: options.clock,
    exec: new FarExec(link, options.terminal),
    files: new FarFiles(link),
    sockets,
    env: hello.env,
    uid: hello.uid,
    node: hello.node,
    root: hello.root,
    get isLost() {
      return link.isLost;
    },
    async [Symbol.asyncDispose]() {
      await sockets[Symbol.asyncDispose]();
      await link[Symbol.asyncDispose]();
    },
  };
}
