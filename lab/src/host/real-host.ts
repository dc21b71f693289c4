import { fileURLToPath } from "node:url";
import type { Host } from "./host.js";
import { RealClock } from "./real-clock.js";
import { RealExec } from "./real-exec.js";
import { RealFiles } from "./real-files.js";
import { RealSockets } from "./real-sockets.js";

/** From lab/dist/host/ or lab/src/host/. */
const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");

export function realHost(): Host {
  const clock = new RealClock();
  return {
    clock,
    exec: new RealExec(clock),
    files: new RealFiles(),
    sockets: new RealSockets(),
    env: process.env,
    uid: process.geteuid?.() ?? -1,
    node: process.execPath,
    root: process.env.VNFLAB_ROOT ?? REPOSITORY,
  };
}
