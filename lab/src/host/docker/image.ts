/** The container image of the lab: what build/images/host holds, and whether the engine has it. */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import type Docker from "dockerode";
import { VnflabError } from "../../model/error.js";
import type { Host } from "../host.js";
import { engineError, isNotFound } from "./engine.js";

const IMAGE_NAME = "vnflab-host";
const BUILT = "build/images/host";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

interface Manifest {
  readonly schemaVersion: 1;
  /** Made of all that is in the image. */
  readonly tag: string;
}

/** Name of the image that fits this tree, in the engine when this resolves. Throws VNF_DOCKER_IMAGE. */
export async function requireImage(docker: Docker, near: Host): Promise<string> {
  const folder = join(near.root, BUILT, "current");
  const text = await near.files.readText(join(folder, "manifest.json"));
  if (text === undefined) {
    throw new VnflabError("VNF_DOCKER_IMAGE", `the container image is not built: there is no ${folder}/manifest.json`);
  }
  const { tag } = JSON.parse(text) as Manifest;
  const name = `${IMAGE_NAME}:${tag}`;
  if (await hasImage(docker, name)) return name;
  await importImage(docker, near, join(folder, "rootfs.tar"), tag);
  return name;
}

async function hasImage(docker: Docker, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw engineError(`look for the image ${name}`, error);
  }
}

async function importImage(docker: Docker, near: Host, archive: string, tag: string): Promise<void> {
  if ((await near.files.kind(archive)) !== "file") {
    throw new VnflabError(
      "VNF_DOCKER_IMAGE",
      `the engine does not have ${IMAGE_NAME}:${tag}, and there is no ${archive}`,
    );
  }
  try {
    const changes = [`ENV PATH=${PATH}`, "LABEL vnflab.image=host"];
    const progress = await docker.importImage(createReadStream(archive), { repo: IMAGE_NAME, tag, changes });
    await followProgress(docker, progress);
  } catch (error) {
    throw new VnflabError("VNF_DOCKER_IMAGE", `cannot import ${archive}: ${String(error)}`, { cause: error });
  }
}

/** The engine answers 200 at once and tells a failure in the stream. */
function followProgress(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  onLine: (line: string) => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const tell = (event: { stream?: string; status?: string }) => onLine(event.stream ?? event.status ?? "");
    const ended = (error: Error | null, events: { error?: string }[]) => {
      const failure = error?.message ?? events?.find((event) => event.error !== undefined)?.error;
      if (failure === undefined) resolve();
      else reject(new Error(failure));
    };
    docker.modem.followProgress(stream, ended, tell);
  });
}

/** The images of the lab that an engine has. */
export async function engineImages(docker: Docker, near: Host): Promise<{ name: string; current: boolean }[]> {
  const text = await near.files.readText(join(near.root, BUILT, "current", "manifest.json"));
  const current = text === undefined ? undefined : `${IMAGE_NAME}:${(JSON.parse(text) as Manifest).tag}`;
  const all = await docker.listImages({ filters: { reference: [IMAGE_NAME] } });
  const names = all.flatMap(({ RepoTags }) => RepoTags ?? []);
  return names.map((name) => ({ name, current: name === current }));
}

/** One that a container uses stays, and is an error. */
export async function removeEngineImage(docker: Docker, name: string): Promise<void> {
  await docker
    .getImage(name)
    .remove()
    .catch((error: unknown) => {
      throw engineError(`remove the image ${name}`, error);
    });
}

/** By the Dockerfile, where a registry answers. */
export async function buildFromRegistry(docker: Docker, near: Host, onLine: (line: string) => void): Promise<void> {
  const context = join(near.root, "images/host");
  const tag = `registry-${near.clock.wallTime().toISOString().slice(0, 10)}`;
  try {
    const src = ["Dockerfile", "packages.list"];
    const stream = await docker.buildImage({ context, src }, { t: `${IMAGE_NAME}:${tag}` });
    await followProgress(docker, stream, (line) => (line.trim() === "" ? undefined : onLine(line.trimEnd())));
  } catch (error) {
    throw new VnflabError("VNF_DOCKER_IMAGE", `the Docker engine could not build images/host: ${String(error)}`, {
      hint: "Where no registry answers, run `vnflab image build host` without --registry.",
      cause: error,
    });
  }
  await near.files.remove(join(near.root, BUILT, "current"));
  const manifest: Manifest = { schemaVersion: 1, tag };
  await near.files.write(join(near.root, BUILT, "current", "manifest.json"), `${JSON.stringify(manifest)}\n`);
}
