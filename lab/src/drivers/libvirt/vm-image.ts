/** What a virtual machine boots: the project's image or one like it, by its manifest. */
import { join } from "node:path";
import { z } from "zod";
import type { Host } from "../../host/host.js";
import type { AllocatedMachine } from "../../model/deployment.js";
import { VnflabError } from "../../model/error.js";
import type { LabDisk } from "../../render/template/patch-domain.js";

const IMAGE = "build/images/guest/current";
const PAYLOAD = "build/images/guest/payload.img";

export interface VmImage {
  /** Absent: the machine boots from a disk of its own. */
  readonly kernel?: string;
  readonly initrd?: string;
  readonly kernelArgs: string;
  readonly disks: readonly LabDisk[];
}

/** `bootsItself`: the template has a disk of its own, so that the lab adds but the payload. */
export async function readVmImage(
  host: Host,
  machine: AllocatedMachine,
  { bootsItself }: { readonly bootsItself: boolean },
): Promise<VmImage> {
  const payload = join(host.root, PAYLOAD);
  if (bootsItself && machine.image === undefined) {
    await requireFile(host, payload);
    return { kernelArgs: "", disks: [shared(payload, "vdb")] };
  }
  const { rootfs, ...boot } = await readManifest(host, machine.image ?? join(host.root, IMAGE));
  await requireFile(host, payload);
  return { ...boot, disks: [shared(rootfs, "vda"), shared(payload, "vdb")] };
}

/** Any number of machines read it. */
function shared(file: string, target: string): LabDisk {
  return { file, target, format: "raw", readonly: true };
}

const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  kernel: z.string(),
  initrd: z.string().nullable(),
  rootfs: z.string(),
  kernelArgs: z.string().default("console=ttyS0"),
});

/** The image's parts, with absolute paths. */
async function readManifest(host: Host, folder: string) {
  const file = join(folder, "manifest.json");
  const text = await host.files.readText(file);
  if (text === undefined) throw new VnflabError("VNF_NOT_BUILT", `the guest image is not built: there is no ${file}`);
  const manifest = manifestSchema.safeParse(parseJson(text));
  if (!manifest.success) {
    throw new VnflabError("VNF_NOT_BUILT", `${file} is not a manifest that this version understands`, {
      cause: manifest.error,
      hint: "Build the image again: `make image`.",
    });
  }
  const { kernel, initrd, rootfs, kernelArgs } = manifest.data;
  const parts = { kernel: join(folder, kernel), rootfs: join(folder, rootfs), kernelArgs };
  await Promise.all([parts.kernel, parts.rootfs].map((part) => requireFile(host, part)));
  return initrd === null ? parts : { ...parts, initrd: join(folder, initrd) };
}

async function requireFile(host: Host, file: string): Promise<void> {
  if ((await host.files.kind(file)) !== "file") {
    throw new VnflabError("VNF_NOT_BUILT", `the guest image is not complete: there is no ${file}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
