/** What cloud-init is told about a machine, for its data source NoCloud: the files of a disk with the label cidata. */
import { stringify } from "yaml";

export interface CloudSeed {
  readonly lab: string;
  readonly machine: string;
  /** The words of the project's own kernel arguments, `vnflab.hostname=...` and so on. */
  readonly arguments: readonly string[];
}

export const SEED_LABEL = "cidata";

/** Where the guest image is mounted, from which agent, libraries and set-up come. */
const TOOLS = "/run/vnflab/tools";

/**
 * Finds the guest image among the disks by what is in it, mounts it and hands over to it. Every file system is looked
 * at without writing, not even of its journal. Cloud-init may call it at more than one stage of a boot.
 */
const FIND_TOOLS = `[ ! -e /run/vnflab/arguments ] || exit 0
mkdir -p ${TOOLS}
for disk in /dev/vd? /dev/sd?; do
  mount -t ext4 -o ro,noload "$disk" ${TOOLS} 2>/dev/null || continue
  setup=${TOOLS}/usr/lib/vnflab/cloud-setup
  [ ! -x $setup ] || exec ${TOOLS}/usr/bin/busybox sh $setup ${TOOLS} "$@"
  umount ${TOOLS}
done
echo "vnflab: error: no disk is the laboratory's guest image" >/dev/console
exit 1`;

/** File names and their contents. */
export function renderCloudSeed({ lab, machine, arguments: words }: CloudSeed): Readonly<Record<string, string>> {
  const userData = {
    // At every boot, and early: packages of the user's own come later.
    bootcmd: [["sh", "-c", FIND_TOOLS, "sh", ...words]],
    preserve_hostname: false,
    hostname: machine,
  };
  return {
    // Local: before the image's own network comes up, which might take the cards for its own.
    "meta-data": stringify({ "instance-id": `${lab}-${machine}`, "local-hostname": machine, dsmode: "local" }),
    // The cards are the laboratory's: nobody waits for an address.
    "network-config": stringify({ config: "disabled" }),
    "user-data": `#cloud-config\n${stringify(userData)}`,
  };
}
