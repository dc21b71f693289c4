/**
 * Directions between the C layers, read from `#include` lines. The rules are those of ARCHITECTURE.md; a layer may use
 * what it names and, through it, what that one may use.
 */
import { dirname, posix } from "node:path";

export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  path: string;
  text: string;
}

export interface Violation {
  path: string;
  line: number;
  message: string;
}

const stackLayers: Record<string, readonly string[]> = {
  base: [],
  wire: ["base"],
  inet: ["wire"],
  tcp: ["wire"],
  udp: ["wire"],
  netif: ["wire"],
  "netif/dpdk": ["netif"],
  steer: ["wire"],
  sock: ["tcp", "udp"],
  config: ["base"],
  worker: ["sock", "inet", "netif", "netif/dpdk", "steer", "config"],
  api: ["worker", "sock", "config"],
};

/** What the tests of a layer may use besides: the device's hash is compared with the stack's own. */
const testLayers: Record<string, readonly string[]> = { "netif/dpdk": ["steer"] };

/** Layers that implement the public headers and may include them. */
const publicHeaderUsers = new Set(["api", "sock", "worker"]);

/** Folders that may include rte_*.h. */
const dpdkFolders = ["stack/src/netif/dpdk/", "bess/switch/dataplane/"];

/** Folders of stack/ that may use any layer: they are tools of the developers, not part of the library. */
const freeFolders = ["stack/testing/", "stack/fuzz/", "stack/bench/"];

function reachable(layer: string): Set<string> {
  const seen = new Set([layer]);
  for (const name of seen) for (const next of stackLayers[name] ?? []) seen.add(next);
  return seen;
}

function layerOf(pathInSrc: string): string | undefined {
  const names = Object.keys(stackLayers).sort((a, b) => b.length - a.length);
  return names.find((name) => pathInSrc.startsWith(`${name}/`));
}

function checkLibrary(file: string, target: string, isPublic: boolean): string | undefined {
  const own = layerOf(file.slice("stack/src/".length));
  if (own === undefined) return "lies in no layer";
  if (isPublic)
    return publicHeaderUsers.has(own) ? undefined : `layer ${own} must not know the public header ${target}`;
  const used = layerOf(target.slice("stack/src/".length));
  if (used === undefined || reachable(own).has(used)) return undefined;
  if (/_test\.c$/.test(file) && testLayers[own]?.includes(used)) return undefined;
  return `layer ${own} must not use layer ${used} (${target})`;
}

/** Where a quoted include leads to inside the repository, or undefined for a header of the system. */
function resolve(file: string, name: string, known: ReadonlySet<string>): string | undefined {
  const roots = [dirname(file), "stack/src", "stack", "stack/include", "bess/switch/dataplane"];
  return roots.map((root) => posix.normalize(posix.join(root, name))).find((path) => known.has(path));
}

function checkInclude(file: string, name: string, known: ReadonlySet<string>): string | undefined {
  if (/^rte_/.test(posix.basename(name)) && !dpdkFolders.some((folder) => file.startsWith(folder)))
    return `${name}: DPDK headers belong to ${dpdkFolders.join(" and ")} only`;
  const target = resolve(file, name, known);
  if (target === undefined) return undefined;
  if (file.startsWith("bess/") && target.startsWith("stack/")) return `bess must not use the stack (${target})`;
  if (file.startsWith("stack/") && target.startsWith("bess/")) return `the stack must not use bess (${target})`;
  if (freeFolders.some((folder) => file.startsWith(folder))) return undefined;
  const isTest = /_test\.c$/.test(file);
  if (target.startsWith("stack/testing/")) return isTest ? undefined : `only tests may use the test kit (${target})`;
  const isPublic = target.startsWith("stack/include/");
  if (file.startsWith("stack/include/") && !isPublic) return `a public header must not need the inside (${target})`;
  if (file.startsWith("stack/apps/") && !isPublic && !target.startsWith("stack/apps/"))
    return `applications use stack/include only (${target})`;
  return file.startsWith("stack/src/") && !(isPublic && isTest) ? checkLibrary(file, target, isPublic) : undefined;
}

/** Every include of the files that goes against the layers' directions. */
export function checkIncludes(files: readonly SourceFile[]): Violation[] {
  const known = new Set(files.map((file) => file.path));
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => {
      const name = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line)?.[1];
      const message = name === undefined ? undefined : checkInclude(path, name, known);
      return message === undefined ? [] : [{ path, line: index + 1, message }];
    }),
  );
}
