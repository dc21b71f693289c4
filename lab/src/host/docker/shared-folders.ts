/** Folders that a container has at the same path as this host. */
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "../host.js";

/** Parts of the repository that may be links to somewhere else. */
const LINKS = ["build", "build/c", "build/images", "build/images/guest", "node_modules"];

/** The repository, and what its links lead to. */
export async function repositoryFolders(near: Host): Promise<string[]> {
  return outermost(await Promise.all([near.root, ...LINKS.map((link) => join(near.root, link))].map(realOr)));
}

/** As they are written and as they are, so that both can be opened; none below another. */
export async function withRealPaths(folders: readonly string[]): Promise<string[]> {
  return outermost([...folders, ...(await Promise.all(folders.map(realOr)))]);
}

export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function outermost(folders: readonly string[]): string[] {
  const all = [...new Set(folders)].sort();
  return all.filter((folder) => !all.some((other) => other !== folder && isBelow(folder, other)));
}

function realOr(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
