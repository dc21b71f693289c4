/** Images: of guests and of the container that labs run in. The recipes are in images/; this runs them and tidies up. */
import { join } from "node:path";
import { openDocker } from "../host/docker/engine.js";
import { buildFromRegistry, engineImages, removeEngineImage, requireImage } from "../host/docker/image.js";
import { VnflabError } from "../model/error.js";
import type { EngineContext } from "./context.js";

/** Packages from a slow mirror, and a slow disk. */
const BUILD_MS = 3_600_000;

export const IMAGE_KINDS = ["guest", "host"] as const;
export type ImageKind = (typeof IMAGE_KINDS)[number];

export interface ImageInfo {
  readonly kind: ImageKind;
  /** A folder, or a name in the Docker engine. */
  readonly name: string;
  /** What labs take now. */
  readonly current: boolean;
}

const SCRIPTS: Readonly<Record<ImageKind, readonly string[]>> = {
  guest: ["images/guest/build.sh", "images/guest/payload.sh"],
  host: ["images/host/build.sh"],
};

export interface BuildOptions {
  readonly signal: AbortSignal;
  /** Build anew although the recipe did not change. */
  readonly force: boolean;
  /** The container image from a registry's base images and the Dockerfile, by the Docker engine. */
  readonly registry: boolean;
}

/** Nothing is fetched when the recipe has been built before. */
export async function buildImage(context: EngineContext, kind: ImageKind, options: BuildOptions): Promise<void> {
  const { host } = context;
  if (options.registry) {
    if (kind !== "host") throw new VnflabError("VNF_USAGE", "only the container image (host) comes from a registry");
    const docker = await openDocker(host.env);
    const note = (text: string) => context.emit({ type: "note", text });
    return buildFromRegistry(docker, host, note);
  }
  for (const script of SCRIPTS[kind]) {
    const argv = [join(host.root, script), ...(options.force && script.endsWith("/build.sh") ? ["--force"] : [])];
    const said: string[] = [];
    const onOutput = (_stream: string, chunk: string) => {
      for (const line of chunk.split("\n").filter((text) => text !== "")) {
        said.push(line);
        context.emit({ type: "note", text: line });
      }
    };
    const { exitCode } = await host.exec.run(argv, { signal: options.signal, onOutput, timeoutMs: BUILD_MS });
    options.signal.throwIfAborted();
    if (exitCode === 0) continue;
    throw new VnflabError("VNF_NOT_BUILT", `${script} failed with exit code ${exitCode}`, {
      hint: "Read its last lines; it tells what is missing.",
      log: { file: script, lines: said.slice(-15) },
    });
  }
  // Where an engine answers, it gets the image now rather than in the first `up`.
  const docker = kind === "host" ? await openDocker(host.env).catch(() => undefined) : undefined;
  if (docker) await requireImage(docker, host);
}

export async function listImages(context: EngineContext): Promise<ImageInfo[]> {
  const folders = await Promise.all(IMAGE_KINDS.map((kind) => builtFolders(context, kind)));
  const docker = await openDocker(context.host.env).catch(() => undefined);
  const inEngine = docker ? await engineImages(docker, context.host) : [];
  return [...folders.flat(), ...inEngine.map((image) => ({ kind: "host" as const, ...image }))];
}

/** Removes all that are not current; gives their names. */
export async function pruneImages(context: EngineContext, kinds: readonly ImageKind[]): Promise<string[]> {
  const old = (await listImages(context)).filter(({ kind, current }) => kinds.includes(kind) && !current);
  for (const { name } of old) {
    if (name.startsWith("/")) await context.host.files.remove(name);
    else await removeEngineImage(await openDocker(context.host.env), name);
  }
  return old.map(({ name }) => name);
}

async function builtFolders({ host }: EngineContext, kind: ImageKind): Promise<ImageInfo[]> {
  const folder = join(host.root, "build/images", kind);
  const names = (await host.files.list(folder)).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const manifestOf = (name: string) => host.files.readText(join(folder, name, "manifest.json"));
  const current = await manifestOf("current");
  return Promise.all(
    names.map(async (name) => ({ kind, name: join(folder, name), current: (await manifestOf(name)) === current })),
  );
}
