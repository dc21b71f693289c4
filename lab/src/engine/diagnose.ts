/** What the logs of a lab that does not come up say about the cause. Pure: text in, a guess out. */

export interface Evidence {
  /** The machine's console, last lines. */
  readonly console?: readonly string[];
  /** The switch's log, last lines. */
  readonly switchLog?: readonly string[];
  /** What an application said, or QEMU. */
  readonly said?: readonly string[];
  /** The rung that was not reached, and what was seen there last. */
  readonly rung?: string;
  readonly lastSeen?: string;
}

export interface Guess {
  /** One clause: "the guest's kernel panicked: ...". */
  readonly cause: string;
  /** How to mend it. */
  readonly hint: string;
}

type Source = "console" | "switchLog" | "said" | "lastSeen";

interface Sign {
  readonly where: readonly Source[];
  /** Its first group, if there is one, is quoted in place of %. */
  readonly words: RegExp;
  readonly cause: string;
  readonly hint: string;
}

/** From the most telling to the vaguest: a panic for want of a root device is the device's matter, not the panic's. */
const SIGNS: readonly Sign[] = [
  {
    where: ["console"],
    words: /(?:Unable to mount root fs on|VFS: Cannot open root device) (.*)|ALERT!\s+(\S+) does not exist/i,
    cause: "the guest has no root device: %",
    hint: "The image's kernelArgs (root=) and the template's disks do not fit; `make image` builds a pair that does.",
  },
  {
    where: ["console"],
    words: /(?:Out of memory: (?:Killed|Kill) process.*|oom-kill|Kernel panic .*System is deadlocked on memory)/i,
    cause: "the guest ran out of memory",
    hint: "Raise `memory`, or lower `hugepages`, which is taken from it.",
  },
  {
    where: ["console"],
    words: /(?:No working init found|Failed to execute \S+ \(error|Requested init \S+ failed).*/i,
    cause: "the guest's kernel found no init that runs",
    hint: "The image is not whole: run `make image`, or correct init= and rdinit= in its kernelArgs.",
  },
  {
    where: ["console"],
    words: /Kernel panic - not syncing: (.*)/,
    cause: "the guest's kernel panicked: %",
    hint: "Read the lines before the panic; the console's whole log is in the `failed` folder.",
  },
  {
    where: ["console"],
    words: /(?:soft lockup|rcu: INFO: rcu_\w+ (?:self-)?detected stall|hung_task|blocked for more than \d+ seconds)/i,
    cause: "the guest's CPUs hardly get any time",
    hint: "The host is busy: end something, give the lab fewer machines or CPUs, or raise `deadlines`.",
  },
  {
    where: ["console", "said"],
    words:
      /(?:EAL: (?:No free hugepages|FATAL: Cannot get hugepage|Not enough memory available)|hugepages? .*(?:cannot be|not) (?:reserved|mounted)|Cannot mmap (?:hugepage|memory)).*/i,
    cause: "there are too few hugepages for DPDK in the machine",
    hint: "Raise `hugepages` and `memory` of the machine; the guest's memory must hold both.",
  },
  {
    where: ["said", "lastSeen"],
    words:
      /Could not access KVM kernel module: (.*)|failed to initialize kvm: (.*)|KVM_(?:CREATE_VM|RUN)\S* (?:failed|returned).*/i,
    cause: "KVM was refused: %",
    hint: "Use `accelerator: tcg`, or give this user access to /dev/kvm; `vnflab doctor` tells more.",
  },
  {
    where: ["said", "switchLog", "lastSeen"],
    words: /(?:cannot set up guest memory|mmap.*Cannot allocate memory|Cannot allocate memory|memfd_create.*failed).*/i,
    cause: "the host has no memory left for it",
    hint: "Give the machines less `memory`, or free some on the host.",
  },
  {
    where: ["said", "lastSeen"],
    words: /Failed to connect to '([^']+)'/,
    cause: "the switch's port % took no connection",
    hint: "The switch has died or is stuck: read its log.",
  },
  {
    where: ["said"],
    words:
      /Cannot create lock on '([^']+)'|Cannot allocate memzone list: Device or resource busy|primary process.*(?:running|exists)/i,
    cause: "another application already has the machine's card",
    hint: "End it, or restart the machine: `vnflab restart LAB MACHINE`.",
  },
  {
    where: ["switchLog"],
    words: /(?:VHOST_CONFIG: .*(?:failed to map|mmap).*|could not (?:map|mmap) .*region)/i,
    cause: "the switch cannot map the machine's memory",
    hint: "The template needs shared memory: <memoryBacking> with <access mode='shared'/> and a memfd source.",
  },
  {
    where: ["switchLog"],
    words: /(?:No space left on device|Cannot allocate mbuf|not enough (?:mbufs|memory).*|packet memory.*failed)/i,
    cause: "the switch has too little packet memory",
    hint: "Raise the switch's `memory`.",
  },
  {
    where: ["lastSeen"],
    words: /(the switch's port \S+) has no link/,
    cause: "% has no link: the machine's driver is not attached",
    hint: "The stack did not take that NIC: its stack.conf names the MAC; the guest must not have bound it to virtio_net.",
  },
];

/** By the rung alone, when no text tells anything. */
const BY_RUNG: Readonly<Record<string, Guess>> = {
  console: {
    cause: "the machine has printed nothing",
    hint: "The kernel did not start or prints elsewhere: the image's kernelArgs need console=ttyS0; slow hosts need time.",
  },
  agent: {
    cause: "the guest agent does not answer",
    hint: "The image needs qemu-guest-agent, started, and the template its channel org.qemu.guest_agent.0.",
  },
  init: {
    cause: "the guest has not finished its set-up",
    hint: "Read what the console says last; on a slow host raise `deadlines.init`.",
  },
  nic: {
    cause: "the guest has not given its NICs to DPDK",
    hint: "The guest's kernel needs uio_pci_generic or vfio-pci, and a NIC that matches the MAC of the lab.",
  },
};

/** Undefined when nothing is known that fits. */
export function guessCause(evidence: Evidence): Guess | undefined {
  for (const { where, words, cause, hint } of SIGNS) {
    for (const line of where.flatMap((source) => evidence[source] ?? [])) {
      const match = words.exec(line);
      if (!match) continue;
      const quoted = match
        .slice(1)
        .find((group) => group !== undefined)
        ?.trim();
      return { cause: quoted ? cause.replace("%", quoted) : cause.replace(/:? ?%/, ""), hint };
    }
  }
  return evidence.rung === undefined ? undefined : BY_RUNG[evidence.rung];
}
