import type { Host } from "./host.js";
import type { LabPaths } from "./layout.js";

/** What one lab wants of the place where it runs. */
export interface LabNeeds {
  readonly folders: LabPaths;
  /** CPUs of the host that its machines and switch may use; absent: all. */
  readonly cores: readonly number[] | undefined;
  /** What all of it may take. */
  readonly memoryMib: number;
  /** Hugepages are demanded. */
  readonly hugepages: boolean;
  /** Folders outside the repository that it reads: images of its own. */
  readonly readOnlyFolders: readonly string[];
}

/** The host on which one lab's machines and switch run. */
export interface LabHost extends Host {
  /** Makes the place ready, or ready for more: a container, folders on another host. Nothing is done twice. */
  prepare(needs: LabNeeds): Promise<void>;
  /** Removes what prepare() made, whatever its state, and what of the lab still runs there. */
  release(folders: LabPaths): Promise<void>;
  /** Resolves when what the host tells about itself (env, uid, node, root) can be read. */
  connected(): Promise<void>;
}
