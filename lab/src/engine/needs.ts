/** What a lab takes of the place where it runs. */
import type { LabNeeds } from "../host/lab-host.js";
import type { Deployment } from "../model/deployment.js";
import { coresOf } from "./claims.js";
import type { LabRecord } from "./record.js";

/** QEMU itself; under TCG also the code that it has translated. */
const QEMU_MIB = { kvm: 300, tcg: 1300 };
/** An application on virtio_user, with its packets. */
const PROCESS_MIB = 1024;
/** The daemons: libvirtd, Node.js. */
const DAEMONS_MIB = 1024;

/**
 * Every CPU that was planned for it, when each has its own and one is left for what is not pinned; otherwise all: a
 * daemon must not be forced onto the CPU of something that polls.
 */
function ownCpus(deployment: Deployment): readonly number[] | undefined {
  const others = deployment.machines.flatMap(({ emulatorCpus }) => emulatorCpus);
  if (deployment.oversubscribed || others.length === 0) return undefined;
  return [...new Set([...coresOf(deployment), ...others])].sort((a, b) => a - b);
}

export function needsOf({ deployment, machines, switch: sw }: LabRecord): LabNeeds {
  const ofMachines = machines.map((spec) => {
    if (spec.kind === "process") return PROCESS_MIB;
    const memory = deployment.machines.find(({ name }) => name === spec.machine)?.memoryMib ?? 0;
    return memory + QEMU_MIB[spec.accelerator];
  });
  const sum = ofMachines.reduce((total, mib) => total + mib, 0);
  return {
    folders: { stateDir: sw.stateDir, runDir: sw.runDir },
    memoryMib: sum + deployment.switch.memoryMib + DAEMONS_MIB,
    cores: ownCpus(deployment),
    hugepages: deployment.switch.hugepages === "on",
    readOnlyFolders: deployment.machines.flatMap(({ image }) => (image === undefined ? [] : [image])),
  };
}
