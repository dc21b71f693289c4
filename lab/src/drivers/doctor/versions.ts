/** Which versions are enough, and which together are known to fail. Pure. */

export interface Versions {
  readonly qemu?: string;
  readonly libvirt?: string;
  readonly dpdk?: string;
  readonly node?: string;
  readonly accelerator?: "kvm" | "tcg";
}

export interface KnownTrouble {
  readonly status: "warning" | "failure";
  readonly message: string;
  readonly hint: string;
}

/** Each was seen. */
interface Entry extends KnownTrouble {
  readonly when: (versions: Versions) => boolean;
}

const NEW_QEMU = "make setup (Debian 12: apt-get install -t bookworm-backports qemu-system-x86)";

const KNOWN: readonly Entry[] = [
  {
    when: ({ qemu, accelerator }) => before(qemu, 8) && accelerator !== "kvm",
    status: "failure",
    message: "QEMU before 8 without KVM crashes when a guest's kernel drives a vhost-user card",
    hint: NEW_QEMU,
  },
  {
    when: ({ qemu, accelerator }) => before(qemu, 8) && accelerator === "kvm",
    status: "warning",
    message: "QEMU before 8 is not tested, and crashes without KVM",
    hint: NEW_QEMU,
  },
  {
    when: ({ libvirt, qemu }) => before(libvirt, 9, 1) && !before(qemu, 9),
    status: "warning",
    message:
      "this libvirt starts QEMU 9 and newer with -no-acpi, of which they die, for domains without <features><acpi/>",
    hint: "vnflab's own template has it; for yours: vnflab template lint FILE",
  },
  {
    when: ({ dpdk }) => before(dpdk, 22),
    status: "failure",
    message: "DPDK is older than 22.11",
    hint: "make setup",
  },
  {
    when: ({ node }) => before(node, 20, 10),
    status: "failure",
    message: "Node.js is older than 20.10",
    hint: "make setup",
  },
];

export function knownTrouble(versions: Versions): KnownTrouble[] {
  return KNOWN.filter(({ when }) => when(versions)).map(({ status, message, hint }) => ({ status, message, hint }));
}

/** An unknown version is before nothing. */
function before(version: string | undefined, major: number, minor = 0): boolean {
  const parsed = /(\d+)\.(\d+)/.exec(version ?? "");
  if (!parsed) return false;
  const [own, ownMinor] = [Number(parsed[1]), Number(parsed[2])];
  return own < major || (own === major && ownMinor < minor);
}
