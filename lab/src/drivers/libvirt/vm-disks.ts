/** Disk images of one machine alone, made in its state folder, which goes with the lab. */
import { join } from "node:path";
import type { Host } from "../../host/host.js";
import { VnflabError } from "../../model/error.js";
import type { VmDisks, VmSpec } from "../machine-driver.js";

const TOOL = "qemu-img";
/** Writes ISO 9660 file systems; of the package xorriso. */
const ISO_TOOL = "xorrisofs";

/** What is there already stays: a machine that starts again has the disk that it had. */
export async function makeDisks(host: Host, spec: VmSpec): Promise<void> {
  const { disks, machine } = spec;
  for (const { file, backing, backingFormat } of disks?.overlays ?? []) {
    if ((await host.files.kind(file)) !== undefined) continue;
    const layer = ["-f", "qcow2", "-b", backing, "-F", backingFormat];
    const { exitCode, stderr } = await host.exec.run([TOOL, "create", "-q", ...layer, file]);
    if (exitCode === 0) continue;
    await host.files.remove(file);
    throw new VnflabError("VNF_IMAGE_INVALID", `${machine}: no layer over ${backing}: ${stderr.trim()}`);
  }
  if (disks?.seed) await makeSeed(host, machine, disks.seed);
}

async function makeSeed(host: Host, machine: string, seed: NonNullable<VmDisks["seed"]>): Promise<void> {
  const folder = `${seed.file}.d`;
  for (const [name, text] of Object.entries(seed.content)) await host.files.write(join(folder, name), text);
  const options = ["-quiet", "-joliet", "-rational-rock", "-volid", seed.label];
  const { exitCode, stderr } = await host.exec.run([ISO_TOOL, ...options, "-output", seed.file, folder]);
  await host.files.remove(folder);
  if (exitCode === 0) return;
  throw new VnflabError("VNF_IMAGE_INVALID", `${machine}: no disk for cloud-init: ${stderr.trim()}`);
}
