/**
 * How a libvirtd of root is kept from believing that it is root, as it would insist on /run/libvirt, /var/lib/libvirt
 * and more then. Ordinary users need nothing of this.
 */
import type { Host } from "../../host/host.js";
import { VnflabError } from "../../model/error.js";

export interface Disguise {
  /** Stands before the program; the folder given is the daemon's. */
  command(dir: string): readonly string[];
  /** Where the daemon sees its folder; absent: where it is. */
  readonly seenAt?: string;
  /** More lines for qemu.conf. */
  readonly settings: string;
}

/** `nobody`, who exists everywhere. */
const OTHER_ID = 65534;
const TRIAL_MS = 5000;

const NOTHING: Disguise = { command: () => [], settings: "" };

/** In a user namespace, in which it is somebody else; on the host it is still root. */
const USER_NAMESPACE = ["unshare", "--user", `--map-user=${OTHER_ID}`, `--map-group=${OTHER_ID}`];
const IN_NAMESPACE: Disguise = { command: () => USER_NAMESPACE, settings: "" };

/** A folder that every system has and that no guest needs: in the daemon's mount namespace it is the daemon's. */
const SEEN_AT = "/usr/src";
const CAPABILITIES = "+chown,+dac_override,+fowner";
const MOUNT_NAMESPACE = ["unshare", "--mount", "--propagation", "private"];
/** The capabilities hold for access(2) too, which asks for the rights of the real user. */
const OTHER_USER = [
  ...["setpriv", "--securebits=+no_setuid_fixup", `--reuid=${OTHER_ID}`, `--regid=${OTHER_ID}`, "--clear-groups"],
  ...[`--inh-caps=${CAPABILITIES}`, `--ambient-caps=${CAPABILITIES}`],
];
const SHOW_FOLDER = `mount --bind "$1" ${SEEN_AT} && chown -R ${OTHER_ID}:${OTHER_ID} ${SEEN_AT} && shift && exec "$@"`;

/**
 * Where there are no user namespaces: really another user, with the rights to root's files. QEMU, which libvirt probes
 * without those rights, must reach its socket: so the daemon's folder is shown where no parent is closed.
 */
const AS_OTHER_USER: Disguise = {
  command: (dir) => [...MOUNT_NAMESPACE, "sh", "-c", SHOW_FOLDER, "sh", dir, ...OTHER_USER],
  seenAt: SEEN_AT,
  settings: "clear_emulator_capabilities = 0\n",
};

/** The first that works here. Throws VNF_LIBVIRT when none does. */
export async function disguiseFor(host: Host): Promise<Disguise> {
  if (host.uid !== 0) return NOTHING;
  const inNamespace = await attempt(host, USER_NAMESPACE);
  if (inNamespace === undefined) return IN_NAMESPACE;
  const asOther = await attempt(host, [...MOUNT_NAMESPACE, ...OTHER_USER]);
  if (asOther === undefined) return AS_OTHER_USER;
  const why = `root's libvirtd needs a user namespace (${inNamespace}), or a mount namespace and other users (${asOther})`;
  throw new VnflabError("VNF_LIBVIRT", why, {
    hint: "Run vnflab as an ordinary user, allow user namespaces (user.max_user_namespaces), or name a libvirt URI.",
  });
}

/** Why it does not work; undefined when it does. */
async function attempt(host: Host, argv: readonly string[]): Promise<string | undefined> {
  const { exitCode, stderr } = await host.exec.run([...argv, "true"], { timeoutMs: TRIAL_MS });
  return exitCode === 0 ? undefined : stderr.trim();
}
