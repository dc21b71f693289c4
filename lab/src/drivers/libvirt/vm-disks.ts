/** Disk images of one machine alone, made in its state folder, which goes with the lab. */
import type { Host } from "../../host/host.js";
import { VnflabError } from "../../model/error.js";
import type { VmSpec } from "../machine-driver.js";

const TOOL = "qemu-img";

/** What is there already stays: a machine that starts again has the disk that it had. */
export async function makeDisks(host: Host, { disks, machine }: VmSpec): Promise<void> {
  for (const { file, backing, backingFormat } of disks?.overlays ?? []) {
    if ((await host.files.kind(file)) !== undefined) continue;
    const layer = ["-f", "qcow2", "-b", backing, "-F", backingFormat];
    const { exitCode, stderr } = await host.exec.run([TOOL, "create", "-q", ...layer, file]);
    if (exitCode === 0) continue;
    await host.files.remove(file);
    throw new VnflabError("VNF_IMAGE_INVALID", `${machine}: no layer over ${backing}: ${stderr.trim()}`);
  }
}
