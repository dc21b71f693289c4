/**
 * The programs that run on another host: copied there once, into a folder named after their content, so that the other
 * host needs nothing of this tree. QEMU, libvirtd and DPDK's libraries it must have itself.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { pack } from "tar-stream";
import { VnflabError } from "../../model/error.js";
import type { Host } from "../host.js";
import type { SshConnection } from "./connection.js";

/** What other hosts run of this tree. */
const PARTS = [
  ...["lab/package.json", "lab/dist/host", "lab/dist/model", "bess/switch/package.json", "bess/switch/bin"],
  ...["bess/switch/dist", "vm-templates", "build/c/stack/apps", "build/c/stack/libmtcp.so.0"],
  ...["build/c/bess/switch/dataplane/libvportd_dp.so", "build/images/guest/current", "build/images/guest/payload.img"],
];
/** The packages whose programs those are, with all that they depend on. */
const PACKAGES = ["zx", "@grpc/grpc-js", "@vnflab/bess-proto", "commander", "koffi"];
/** What a build leaves beside its results. */
const NOT_NEEDED = /(\.(d\.ts|map|a|o|tsbuildinfo)|\.p|\.test\.js|\/node_modules\/\.bin)$/;
const NODE = "bin/node";

interface Part {
  /** Below the folder there. */
  readonly name: string;
  readonly file: string;
  readonly size: number;
  readonly mode: number;
  readonly mtimeMs: number;
}

export interface Tools {
  readonly hash: string;
  readonly parts: readonly Part[];
}

async function collectTools(near: Host, cacheDir: string): Promise<Tools> {
  const parts: Part[] = [];
  for (const name of [...PARTS, ...(await packageFolders(near.root))])
    await addParts(parts, join(near.root, name), name);
  await addParts(parts, near.node, NODE);
  parts.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { parts, hash: await hashOf(near, cacheDir, parts) };
}

/** Path of a folder there that has them; sends them when it is not there yet. */
export async function installTools(connection: SshConnection, near: Host, cacheDir: string): Promise<string> {
  const tools = await collectTools(near, cacheDir);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
  const look = 'd="${XDG_CACHE_HOME:-$HOME/.cache}/vnflab/tools"; mkdir -p -m 700 "$d" && cd "$d" && pwd -P';
  const found = await connection.run(["sh", "-c", look]);
  const folder = `${found.stdout.trim()}/${tools.hash}`;
  if (found.exitCode !== 0) throw new VnflabError("VNF_SSH", `no folder for programs there: ${found.stderr.trim()}`);
  if ((await connection.run(["test", "-x", `${folder}/${NODE}`])).exitCode === 0) return folder;
  const unpack =
    'n="$1.new.$$"; mkdir -m 700 "$n" && tar -xf - -C "$n" && { mv -T "$n" "$1" || rm -rf "$n"; }; test -d "$1"';
  const { exitCode, stderr } = await connection.run(["sh", "-c", unpack, "sh", folder], archive(tools.parts));
  if (exitCode !== 0) throw new VnflabError("VNF_SSH", `the programs could not be copied there: ${stderr.trim()}`);
  return folder;
}

export function nodeIn(folder: string): string {
  return `${folder}/${NODE}`;
}

function archive(parts: readonly Part[]): NodeJS.ReadableStream {
  const tar = pack();
  const send = async () => {
    for (const { name, file, size, mode } of parts) {
      const entry = tar.entry({ name, size, mode });
      await new Promise<void>((resolve, reject) => {
        entry.once("error", reject).once("finish", resolve);
        createReadStream(file).once("error", reject).pipe(entry);
      });
    }
    tar.finalize();
  };
  send().catch((error: Error) => tar.destroy(error));
  return tar as unknown as NodeJS.ReadableStream;
}

async function addParts(parts: Part[], path: string, name: string): Promise<void> {
  if (NOT_NEEDED.test(name)) return;
  const real = await realpath(path).catch(() => {
    throw new VnflabError("VNF_NOT_BUILT", `${name} is to be copied to another host and is not built`);
  });
  const found = await stat(real);
  if (!found.isDirectory()) {
    const { size, mode, mtimeMs } = found;
    parts.push({ name, file: real, size, mode: mode & 0o777, mtimeMs });
    return;
  }
  for (const entry of (await readdir(real)).sort()) await addParts(parts, join(real, entry), `${name}/${entry}`);
}

/** Folders in node_modules, as npm has laid them out. */
async function packageFolders(root: string): Promise<string[]> {
  const found = new Set<string>();
  const visit = async (name: string, from: string): Promise<void> => {
    const folder = await packageFolder(root, name, from);
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    const text = await readFile(join(root, folder, "package.json"), "utf8");
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(text) as Record<string, Record<string, string>>;
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) await visit(next, folder);
  };
  for (const name of PACKAGES) await visit(name, "");
  // One that stands inside another goes with it.
  return [...found].filter((folder) => ![...found].some((other) => folder.startsWith(`${other}/`)));
}

async function packageFolder(root: string, name: string, from: string): Promise<string | undefined> {
  for (const base of from === "" ? [""] : [`${from}/`, ""]) {
    const folder = `${base}node_modules/${name}`;
    if (await stat(join(root, folder, "package.json")).catch(() => undefined)) return relative("", folder);
  }
  return undefined;
}

/** By content; files that have not changed since are not read again. */
async function hashOf(near: Host, cacheDir: string, parts: readonly Part[]): Promise<string> {
  const seen = createHash("sha256");
  for (const { name, file, size, mode, mtimeMs } of parts) seen.update(`${name} ${file} ${size} ${mode} ${mtimeMs}\n`);
  const key = seen.digest("hex");
  const record = join(cacheDir, "tools");
  const known = await near.files.readText(record);
  if (known?.startsWith(`${key} `)) return known.slice(key.length + 1).trim();
  const content = createHash("sha256");
  for (const { name, file, mode } of parts) {
    content.update(`${name} ${mode}\n`);
    for await (const chunk of createReadStream(file)) content.update(chunk as Buffer);
  }
  const hash = content.digest("hex").slice(0, 16);
  await near.files.write(record, `${key} ${hash}\n`);
  return hash;
}
