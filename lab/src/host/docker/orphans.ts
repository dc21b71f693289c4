/** Containers of labs that are gone, found by the marks that they carry. */
import type Docker from "dockerode";
import type { Host } from "../host.js";
import { LAB_LABEL, STATE_LABEL } from "./container-options.js";
import { engineAddress, engineError, isConflict, isNotFound, openDocker } from "./engine.js";
import { isBelow } from "./shared-folders.js";

export interface LabContainer {
  readonly id: string;
  readonly name: string;
  readonly lab: string;
  readonly stateDir: string;
  remove(): Promise<void>;
}

/**
 * Of the labs whose state folders are below this one. None where there is no engine on this host; throws
 * VNF_DOCKER_ENGINE for one that is there and does not answer.
 */
export async function labContainers(near: Host, stateRoot: string, engine?: string): Promise<LabContainer[]> {
  const address = engineAddress(near.env, engine);
  if ((await near.files.kind(address.slice("unix://".length))) !== "socket") return [];
  const docker = await openDocker(near.env, engine);
  const all = await docker.listContainers({ all: true, filters: { label: [STATE_LABEL] } });
  return all
    .map(({ Id, Names, Labels }) => ({
      ...{ id: Id, name: (Names[0] ?? Id).replace(/^\//, ""), lab: Labels[LAB_LABEL] ?? "" },
      stateDir: Labels[STATE_LABEL] ?? "",
      remove: () => removeContainer(docker, Id),
    }))
    .filter(({ stateDir }) => isBelow(stateDir, stateRoot));
}

/** Whatever its state; one that has gone is no error. */
export async function removeContainer(docker: Docker, name: string): Promise<void> {
  try {
    await docker.getContainer(name).remove({ force: true, v: true });
  } catch (error) {
    // A conflict: somebody else removes it at this moment.
    if (!isNotFound(error) && !isConflict(error)) throw engineError(`remove the container ${name}`, error);
  }
}
