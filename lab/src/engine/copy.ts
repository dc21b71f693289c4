/**
 * Files and folders between this host and the machines of a lab, or between two of its machines.
 *
 * A file is streamed as it is; a folder travels as a tar archive. Either arrives beside its target and is moved there when
 * it is complete, so that nobody ever sees half of it.
 */
import { randomUUID } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import type { RunResult } from "../host/exec.js";
import { asVnflabError, VnflabError } from "../model/error.js";
import { didYouMean } from "../model/suggest.js";
import type { Lab } from "./lab.js";

/** A big folder, packed on a slow disk. */
const PACK_MS = 600_000;

export interface Copied {
  readonly kind: "file" | "folder";
  readonly bytes: number;
  /** Where it is now: a path, or MACHINE:PATH. */
  readonly target: string;
}

/** This host or a machine: both have a shell's usual tools. */
interface End {
  /** Before a path, for people: "" or "vm1:". */
  readonly prefix: string;
  readonly path: string;
  /** Folder for archives. */
  readonly temporary: string;
  run(argv: readonly string[]): Promise<RunResult>;
  read(path: string): AsyncIterable<Uint8Array>;
  write(path: string, content: AsyncIterable<Uint8Array>): Promise<void>;
}

interface Found {
  readonly kind: "file" | "folder";
  /** Octal, as chmod takes it. */
  readonly mode: string;
}

/** Throws VNF_COPY when it cannot be done; nothing of the target is left then. */
export async function copy(lab: Lab, from: string, to: string): Promise<Copied> {
  const source = endOf(lab, from);
  const target = endOf(lab, to);
  if (source.prefix === "" && target.prefix === "") {
    throw new VnflabError("VNF_USAGE", "neither the source nor the target is in a machine", {
      hint: "Write one of them as MACHINE:PATH.",
    });
  }
  const found = await look(source, source.path);
  if (!found) throw new VnflabError("VNF_COPY", `there is no ${source.prefix}${source.path}`);
  const path = await targetPath(source, target);
  const counted = { bytes: 0 };
  const part = `${path}.${randomUUID().slice(0, 8)}.part`;
  try {
    if (found.kind === "file") await copyFile(source, target, { path, part, mode: found.mode, counted });
    else await copyFolder(source, target, { path, part, counted });
  } catch (thrown) {
    await target.run(["rm", "-rf", part]).catch(() => {});
    const error = asVnflabError(thrown);
    if (error.code !== "VNF_GUEST_COMMAND" && error.code !== "VNF_FILES") throw error;
    throw new VnflabError("VNF_COPY", `${target.prefix}${path}: ${error.message}`, { cause: thrown });
  }
  return { kind: found.kind, bytes: counted.bytes, target: `${target.prefix}${path}` };
}

function endOf(lab: Lab, place: string): End {
  const match = /^([^/:]+):(.*)$/s.exec(place);
  if (!match) return hostEnd(lab, place);
  const [, name = "", path = ""] = match;
  const known = lab.machines.map((machine) => machine.name);
  if (!known.includes(name)) {
    throw new VnflabError(
      "VNF_LAB_UNKNOWN",
      `lab "${lab.record.lab}" has no machine "${name}"${didYouMean(name, known)}`,
      {
        hint: `For a file of this host with a colon in its name write ./${place}`,
      },
    );
  }
  return machineEnd(lab, name, path);
}

function hostEnd(lab: Lab, path: string): End {
  const { exec, files } = lab.context.host;
  return {
    prefix: "",
    path: path.endsWith("/") ? `${resolve(path)}/` : resolve(path),
    temporary: lab.record.deployment.stateDir,
    run: (argv) => exec.run(argv, { timeoutMs: PACK_MS }),
    read: (file) => files.chunks(file),
    write: (file, content) => files.write(file, content),
  };
}

function machineEnd(lab: Lab, name: string, path: string): End {
  const machine = lab.machine(name);
  const { workDir } = machine.spec;
  return {
    prefix: `${name}:`,
    // Relative to the folder where its applications have their files.
    path: path.startsWith("/") ? path : join(workDir, path === "" ? "./" : path),
    temporary: workDir,
    run: (argv) => machine.run(argv),
    read: (file) => machine.readFile(file),
    write: (file, content) => machine.putFile(file, content),
  };
}

async function look(end: End, path: string): Promise<Found | undefined> {
  const { stdout, exitCode } = await end.run(["stat", "-L", "-c", "%a %F", path]);
  if (exitCode !== 0) return undefined;
  const [mode = "644", ...words] = stdout.trim().split(" ");
  return { kind: words.includes("directory") ? "folder" : "file", mode };
}

/** An existing folder gets the source into it, anything else is the new name; the folder above must be there. */
async function targetPath(source: End, target: End): Promise<string> {
  const wanted = target.path.replace(/(?<=.)\/+$/, "");
  const name = basename(source.path.replace(/(?<=.)\/+$/, ""));
  const found = await look(target, wanted);
  if (found?.kind === "folder") return join(wanted, name);
  const above = target.path.endsWith("/") ? wanted : dirname(wanted);
  if ((await look(target, above))?.kind !== "folder") {
    throw new VnflabError("VNF_COPY", `there is no folder ${target.prefix}${above}`);
  }
  return wanted;
}

interface Transfer {
  readonly path: string;
  readonly part: string;
  readonly counted: { bytes: number };
}

async function copyFile(source: End, target: End, { path, part, mode, counted }: Transfer & { readonly mode: string }) {
  await target.write(part, counting(source.read(source.path), counted));
  await must(target, ["chmod", mode, part]);
  await must(target, ["mv", "-f", part, path]);
}

async function copyFolder(source: End, target: End, { path, part, counted }: Transfer): Promise<void> {
  const from = source.path.replace(/(?<=.)\/+$/, "");
  const name = `copy-${randomUUID().slice(0, 8)}.tar`;
  const packed = join(source.temporary, name);
  const arrived = join(target.temporary, `in-${name}`);
  try {
    await must(source, ["tar", "-C", dirname(from), "-cf", packed, basename(from)]);
    await target.write(arrived, counting(source.read(packed), counted));
    await must(target, ["mkdir", part]);
    await must(target, ["tar", "-C", part, "-xf", arrived]);
    await settle(target, join(part, basename(from)), path);
    await must(target, ["rm", "-rf", part]);
  } finally {
    await Promise.all([
      source.run(["rm", "-f", packed]).catch(() => {}),
      target.run(["rm", "-f", arrived]).catch(() => {}),
    ]);
  }
}

/** Moves a folder to its place; what is in a folder of that name already stays. */
async function settle(target: End, folder: string, path: string): Promise<void> {
  if (await look(target, path)) await must(target, ["cp", "-a", `${folder}/.`, path]);
  else await must(target, ["mv", folder, path]);
}

async function* counting(chunks: AsyncIterable<Uint8Array>, counted: { bytes: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    counted.bytes += chunk.length;
    yield chunk;
  }
}

async function must(end: End, argv: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await end.run(argv);
  if (exitCode === 0) return;
  const words = stderr.trim().split("\n").at(-1) ?? "";
  throw new VnflabError("VNF_GUEST_COMMAND", `${argv[0]} ended with exit code ${exitCode}: ${words}`);
}
