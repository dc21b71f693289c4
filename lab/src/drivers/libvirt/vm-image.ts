/** What a virtual machine boots: the project's image or one like it, or a distribution's with cloud-init. */
import { join } from "node:path";
import { z } from "zod";
import type { Host } from "../../host/host.js";
import type { AllocatedMachine } from "../../model/deployment.js";
import { VnflabError } from "../../model/error.js";
import type { DiskOverlay, LabDisk } from "../../render/template/patch-domain.js";

const IMAGE = "build/images/guest/current";
const PAYLOAD = "build/images/guest/payload.img";

export interface VmImage {
  /** Absent: the machine boots from a disk of its own. */
  readonly kernel?: string;
  readonly initrd?: string;
  readonly kernelArgs: string;
  readonly disks: readonly LabDisk[];
  /** Layers that must be made for those disks. */
  readonly overlays: readonly DiskOverlay[];
  /** Somebody else's system: cloud-init makes it the laboratory's, by a disk of this name with a seed. */
  readonly seed?: string;
}

export interface ImageNeeds {
  /** The template has a disk of its own. */
  readonly bootsItself: boolean;
  /** Folder for what the machine has alone. */
  readonly stateDir: string;
}

export async function readVmImage(host: Host, machine: AllocatedMachine, needs: ImageNeeds): Promise<VmImage> {
  const payload = join(host.root, PAYLOAD);
  if (needs.bootsItself) {
    if (machine.image ?? machine.qcow2) throw twoDisks(machine);
    const { disks, seed } = await foreign(host, needs, payload);
    return { kernelArgs: "", disks, overlays: [], seed };
  }
  const manifest = machine.qcow2
    ? { kind: "cloud" as const, disk: machine.qcow2, kernelArgs: "" }
    : await readManifest(host, machine.image ?? join(host.root, IMAGE));
  if (manifest.kind === "cloud") return cloudImage(host, machine, needs, manifest, payload);
  const { rootfs, kind: _, ...boot } = manifest;
  await requireFile(host, payload);
  return { ...boot, disks: [shared(rootfs, "vda"), shared(payload, "vdb")], overlays: [] };
}

function twoDisks({ name, template }: AllocatedMachine): VnflabError {
  return new VnflabError("VNF_IMAGE_INVALID", `${name}: ${template} has a disk of its own, and the lab file an image`, {
    hint: "Take `image` out of the lab file, or the disk out of the template.",
  });
}

interface CloudManifest {
  readonly disk: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly kernelArgs: string;
}

async function cloudImage(
  host: Host,
  { name }: AllocatedMachine,
  needs: ImageNeeds,
  { disk: backing, ...boot }: CloudManifest,
  payload: string,
): Promise<VmImage> {
  if ((await host.files.kind(backing)) === undefined) {
    throw new VnflabError("VNF_IMAGE_INVALID", `${name}: there is no disk image ${backing}`);
  }
  const layer = { file: join(needs.stateDir, "root.qcow2"), backing, backingFormat: await diskFormat(host, backing) };
  const { disks, seed } = await foreign(host, needs, payload);
  const root: LabDisk = { file: layer.file, target: "vda", format: "qcow2", readonly: false };
  return { ...boot, disks: [root, ...disks], overlays: [layer], seed };
}

/** What a system needs to become the laboratory's: applications, the guest image as a tool box, the seed. */
async function foreign(host: Host, { stateDir }: ImageNeeds, payload: string) {
  await requireFile(host, payload);
  const tools = await readManifest(host, join(host.root, IMAGE));
  if (tools.kind === "cloud") throw new VnflabError("VNF_NOT_BUILT", "the project's own guest image is no guest image");
  const seed = join(stateDir, "seed.iso");
  return { disks: [shared(payload, "vdb"), shared(tools.rootfs, "vdc"), shared(seed, "vdd")], seed };
}

/** qcow2 and raw by their first bytes, which nobody's file name can belie. */
async function diskFormat(host: Host, file: string): Promise<string> {
  const { exitCode, stdout, stderr } = await host.exec.run(["qemu-img", "info", "--output=json", file]);
  const { format } = (exitCode === 0 ? parseJson(stdout) : {}) as { format?: string };
  if (format !== undefined) return format;
  throw new VnflabError("VNF_IMAGE_INVALID", `${file} is no disk image: ${stderr.trim()}`);
}

/** Any number of machines read it. */
function shared(file: string, target: string): LabDisk {
  return { file, target, format: "raw", readonly: true };
}

const manifestSchema = z.union([
  z.object({
    schemaVersion: z.literal(1),
    kind: z.literal("guest").default("guest"),
    kernel: z.string(),
    initrd: z.string().nullable(),
    rootfs: z.string(),
    kernelArgs: z.string().default("console=ttyS0"),
  }),
  z.object({
    schemaVersion: z.literal(1),
    kind: z.literal("cloud"),
    disk: z.string(),
    /** To boot without the disk's own boot loader. */
    kernel: z.string().optional(),
    initrd: z.string().optional(),
    kernelArgs: z.string().default("console=ttyS0 root=/dev/vda1"),
  }),
]);

/** The image's parts, with absolute paths. */
async function readManifest(host: Host, folder: string) {
  const file = join(folder, "manifest.json");
  const text = await host.files.readText(file);
  if (text === undefined) throw new VnflabError("VNF_NOT_BUILT", `the guest image is not built: there is no ${file}`);
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new VnflabError("VNF_NOT_BUILT", `${file} is not a manifest that this version understands`, {
      cause: parsed.error,
      hint: "Build the image again: `make image`.",
    });
  }
  const manifest = parsed.data;
  const part = (name: "kernel" | "initrd") => (manifest[name] ? { [name]: join(folder, manifest[name]) } : {});
  const boot: { kernel?: string; initrd?: string } = { ...part("kernel"), ...part("initrd") };
  if (boot.kernel !== undefined) await requireFile(host, boot.kernel);
  const { kernelArgs } = manifest;
  if (manifest.kind === "cloud") return { kind: manifest.kind, ...boot, kernelArgs, disk: join(folder, manifest.disk) };
  const rootfs = join(folder, manifest.rootfs);
  await requireFile(host, rootfs);
  return { kind: manifest.kind, ...boot, kernelArgs, rootfs };
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
