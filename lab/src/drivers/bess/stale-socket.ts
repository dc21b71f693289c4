import type { Host } from "../../host/host.js";
import { VnflabError } from "../../model/error.js";

/**
 * Makes room for a socket in the lab's own run folder. A socket on which nobody listens is a leftover and goes; what
 * somebody listens on, or what is no socket at all, stays and is an error.
 */
export async function clearStaleSocket(host: Host, address: string): Promise<void> {
  if (await host.sockets.isListening(address)) {
    throw new VnflabError("VNF_PORT_IN_USE", `another process listens on ${address}`);
  }
  if (!address.startsWith("unix:")) return;
  const path = address.slice("unix:".length);
  const kind = await host.files.kind(path);
  if (kind === undefined) return;
  if (kind !== "socket") throw new VnflabError("VNF_STALE_SOCKET", `${path} is a ${kind}, not a socket`);
  await host.files.remove(path);
}
