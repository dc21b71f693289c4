/** The Docker engine: which one, and whether it can be used. */
import Docker from "dockerode";
import { VnflabError } from "../../model/error.js";
import type { Host } from "../host.js";

const DEFAULT = "unix:///var/run/docker.sock";
/** Of Docker 19.03: the oldest whose API has all that is used here. */
const API_OLDEST_MINOR = 40;
const ANSWER_MS = 10_000;
/** Without a byte from the engine: it may have an image to unpack. */
const WORK_MS = 300_000;

/** As in the lab file, in the environment, or where Docker listens by itself. */
export function engineAddress(env: Host["env"], address?: string): string {
  return address ?? (env.DOCKER_HOST || DEFAULT);
}

/** Throws VNF_DOCKER_ENGINE when none answers there, VNF_PLACE_UNSUPPORTED when it is not on this host. */
export async function openDocker(env: Host["env"], address?: string): Promise<Docker> {
  const where = engineAddress(env, address);
  if (!where.startsWith("unix://")) {
    throw new VnflabError("VNF_PLACE_UNSUPPORTED", `the Docker engine ${where} may be on another host`, {
      hint: "A container shares the lab's folders with this host, so the engine must be here: name its unix:// socket, or use `host: ssh://USER@HOST`.",
    });
  }
  const docker = new Docker({ socketPath: where.slice("unix://".length), timeout: ANSWER_MS });
  const version = await docker.version().catch((cause: Error) => {
    throw new VnflabError("VNF_DOCKER_ENGINE", `no Docker engine answers at ${where}: ${cause.message}`, { cause });
  });
  if (Number(version.ApiVersion.split(".")[1] ?? 0) < API_OLDEST_MINOR) {
    const message = `the Docker engine at ${where} is too old: ${version.Version}, its API is ${version.ApiVersion}`;
    throw new VnflabError("VNF_DOCKER_ENGINE", message, { hint: "Install Docker 19.03 or newer." });
  }
  return new Docker({ socketPath: where.slice("unix://".length), timeout: WORK_MS });
}

/** A stream that was opened with an answer's time limit goes on for as long as it is used. */
export function withoutTimeLimit<S extends NodeJS.ReadWriteStream>(stream: S): S {
  if ("setTimeout" in stream) (stream as unknown as { setTimeout(ms: number): void }).setTimeout(0);
  return stream;
}

/** The engine runs as an ordinary user, who is root in its containers. */
export function isRootless(address: string): boolean {
  return address.startsWith("unix:///run/user/");
}

export function isNotFound(error: unknown): boolean {
  return statusOf(error) === 404;
}

export function isConflict(error: unknown): boolean {
  return statusOf(error) === 409;
}

/** What the engine refused, in the lab's terms. */
export function engineError(what: string, cause: unknown): VnflabError {
  if (cause instanceof VnflabError) return cause;
  const words = cause instanceof Error ? cause.message : String(cause);
  return new VnflabError("VNF_DOCKER_ENGINE", `cannot ${what}: ${words}`, { cause });
}

function statusOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : undefined;
}
