/** The folders in which labs live: long enough names, enough room. */
import { dirname, join } from "node:path";
import type { Host } from "../../host/host.js";
import { type Layout, resolveLayout } from "../../host/layout.js";
import { monitorSocketLength, SOCKET_PATH_MAX } from "../libvirt/private-daemon.js";
import type { DoctorCheck } from "./doctor-check.js";

const LONGEST_NAME = 20;
const WANTED_MIB = 2048;
const LEAST_MIB = 256;

const socketPaths: DoctorCheck = {
  name: "sun_path",
  async look(host) {
    const layout = await resolveLayout(host);
    const longest = longestLabName(layout);
    const message = `run folders below ${layout.runRoot}`;
    if (longest >= LONGEST_NAME) return { status: "ok", message: `${message} leave room for every name of a lab` };
    const hint = `export VNFLAB_RUN=/tmp/vnflab-${host.uid}`;
    if (longest < 1) {
      return { status: "failure", message: `${message} are too long for the sockets of virtual machines`, hint };
    }
    return { status: "warning", message: `${message} leave room for names of up to ${longest} letters`, hint };
  },
};

/** Of names of labs with virtual machines; 0: none fits. */
function longestLabName(layout: Layout): number {
  const lengths = Array.from({ length: LONGEST_NAME }, (_, index) => LONGEST_NAME - index);
  const fits = (length: number) =>
    monitorSocketLength(join(layout.lab("x".repeat(length)).runDir, "v")) <= SOCKET_PATH_MAX;
  return lengths.find(fits) ?? 0;
}

const disk: DoctorCheck = {
  name: "disk",
  async look(host) {
    const { stateRoot } = await resolveLayout(host);
    const { stdout, exitCode, stderr } = await host.exec.run(["df", "-Pk", await nearestFolder(host, stateRoot)]);
    const kib = Number(stdout.trim().split("\n").at(-1)?.split(/\s+/)[3]);
    if (exitCode !== 0 || Number.isNaN(kib)) {
      return { status: "warning", message: `cannot tell the room in ${stateRoot}: ${stderr.trim()}`, hint: "df" };
    }
    const mib = Math.floor(kib / 1024);
    const message = `${mib} MiB free for ${stateRoot}`;
    if (mib >= WANTED_MIB) return { status: "ok", message };
    const hint = "vnflab gc --older-than 7, or VNFLAB_STATE=FOLDER on another disk";
    return { status: mib < LEAST_MIB ? "failure" : "warning", message, hint };
  },
};

/** The folder itself, or what it would be made in. */
async function nearestFolder(host: Host, path: string): Promise<string> {
  if (path === dirname(path) || (await host.files.kind(path)) === "directory") return path;
  return nearestFolder(host, dirname(path));
}

export const folderChecks: readonly DoctorCheck[] = [socketPaths, disk];
