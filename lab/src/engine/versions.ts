/** Versions of everything that a lab is made of; absent: it is not installed. */
import { join } from "node:path";
import type { Host } from "../host/host.js";

export interface Versions {
  readonly node: string;
  readonly qemu?: string;
  readonly libvirt?: string;
  readonly dpdk?: string;
  /** Our own switch. */
  readonly vportd?: string;
  /** The kernel and DPDK of the guest image that is built. */
  readonly guestImage?: string;
}

export async function readVersions(host: Host): Promise<Versions> {
  const [node = "unknown", qemu, libvirt, dpdk, vportd, guestImage] = await Promise.all([
    ask(host, [host.node, "--version"], /^v?(\S+)/),
    ask(host, ["qemu-system-x86_64", "--version"], /version (\S+)/),
    libvirtVersion(host),
    ask(host, ["pkg-config", "--modversion", "libdpdk"], /^(\S+)/),
    fieldsOf(host, "bess/switch/package.json", ["version"]),
    fieldsOf(host, "build/images/guest/current/manifest.json", ["suite", "kernelVersion", "dpdkVersion"]),
  ]);
  const known = { qemu, libvirt, dpdk, vportd, guestImage };
  return { node, ...Object.fromEntries(Object.entries(known).filter(([, version]) => version !== undefined)) };
}

/** libvirtd is not in the PATH of ordinary users. */
async function libvirtVersion(host: Host): Promise<string | undefined> {
  const pattern = /(\d+\.\d+\.\d+)/;
  return (
    (await ask(host, ["libvirtd", "--version"], pattern)) ?? ask(host, ["/usr/sbin/libvirtd", "--version"], pattern)
  );
}

async function ask(host: Host, argv: readonly [string, ...string[]], pattern: RegExp): Promise<string | undefined> {
  if ((await host.exec.which(argv[0])) === undefined) return undefined;
  const { stdout, exitCode } = await host.exec.run(argv);
  return exitCode === 0 ? pattern.exec(stdout)?.[1] : undefined;
}

async function fieldsOf(host: Host, file: string, names: readonly string[]): Promise<string | undefined> {
  const text = await host.files.readText(join(host.root, file));
  if (text === undefined) return undefined;
  const fields = JSON.parse(text) as Record<string, unknown>;
  return names.map((name) => String(fields[name] ?? "?")).join(", ");
}
