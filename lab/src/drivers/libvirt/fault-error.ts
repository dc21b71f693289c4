/** From libvirt's errors to ours: the same words, and how to mend it where that is known. */
import { VnflabError } from "../../model/error.js";
import { FAULT, type LibvirtFault } from "./native/protocol.js";

/** Words of libvirt or QEMU -> what helps. The first that fits is taken. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/Failed to connect to '.*sock'/i, "The switch must listen on the machine's socket first."],
  [/Failed to connect socket to|End of file while reading/i, "Is the daemon of this libvirt URI running?"],
  [/no connection driver available/i, "Correct VNFLAB_LIBVIRT_URI, or leave it away: the lab then starts a libvirtd."],
  [/Permission denied/i, "QEMU runs as this user: it must be able to read the image files and every folder above."],
  [/Cannot find QEMU binary|Cannot check QEMU binary|no emulator/i, "Install QEMU with `make setup`."],
  [/Could not access KVM kernel module|failed to initialize kvm/i, "Use `accelerator: tcg` in the lab file."],
  [/cannot set up guest memory|Cannot allocate memory/i, "Give the machines less memory, or free some on the host."],
  [/already exists with uuid|already defined|already active/i, "Run `vnflab down NAME` for the lab that has it."],
  [/Failed to find user record/i, "The user that runs vnflab must have an entry in /etc/passwd."],
  [/XML document failed to validate|XML error/i, "Correct the domain template; the message names the element."],
];

export function faultError(fault: LibvirtFault): VnflabError {
  if (fault.code === FAULT.NO_LIBRARY) {
    const hint = "Install libvirt0 with `make setup` (Debian: apt-get install libvirt0 libvirt-daemon).";
    return new VnflabError("VNF_TOOL_MISSING", fault.message, { cause: fault, hint });
  }
  const hint = HINTS.find(([words]) => words.test(fault.message))?.[1];
  const message = `libvirt refused ${fault.call}: ${fault.message.trim()}`;
  return new VnflabError("VNF_LIBVIRT", message, { cause: fault, ...(hint ? { hint } : {}) });
}
