import { describe, expect, it } from "vitest";
import { type Evidence, guessCause } from "./diagnose.js";

const boot = ["[    0.000000] Linux version 6.1.0", "[    1.2] virtio_blk virtio1: [vda] 131072 512-byte blocks"];

describe("the likely cause", () => {
  it.each<[string, Evidence, string | undefined]>([
    [
      "no root device, although it ends in a panic",
      {
        console: [
          ...boot,
          'VFS: Cannot open root device "vdz" or unknown-block(0,0)',
          "Kernel panic - not syncing: VFS",
        ],
      },
      'the guest has no root device: "vdz" or unknown-block(0,0)',
    ],
    [
      "no root device, by initramfs-tools",
      { console: ["ALERT!  /dev/absent does not exist.  Dropping to a shell!"] },
      "the guest has no root device: /dev/absent",
    ],
    [
      "no init",
      { console: ["Kernel panic - not syncing: No working init found.  Try passing init= option to kernel."] },
      "the guest's kernel found no init that runs",
    ],
    [
      "a panic",
      { console: [...boot, "[ 3.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100"] },
      "the guest's kernel panicked: Attempted to kill init! exitcode=0x00000100",
    ],
    ["memory", { console: ["Out of memory: Killed process 212 (tcp_sink)"] }, "the guest ran out of memory"],
    [
      "a busy host",
      { console: ["watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [swapper/0:1]"], rung: "agent" },
      "the guest's CPUs hardly get any time",
    ],
    [
      "hugepages",
      { said: ["EAL: No free hugepages reported in hugepages-2048kB"] },
      "there are too few hugepages for DPDK in the machine",
    ],
    [
      "KVM refused",
      { said: ["Could not access KVM kernel module: Permission denied"] },
      "KVM was refused: Permission denied",
    ],
    [
      "no memory on the host",
      { said: ["qemu-system-x86_64: cannot set up guest memory 'mem': Cannot allocate memory"] },
      "the host has no memory left for it",
    ],
    [
      "no switch at the port",
      { lastSeen: "Failed to connect to '/run/l/vm1.sock': No such file or directory" },
      "the switch's port /run/l/vm1.sock took no connection",
    ],
    [
      "the card is taken",
      { said: ["EAL: Cannot create lock on '/var/run/dpdk/rte/config'. Is another primary process running?"] },
      "another application already has the machine's card",
    ],
    [
      "memory that is not shared",
      { switchLog: ["VHOST_CONFIG: (/run/l/vm1.sock) failed to map memory region"] },
      "the switch cannot map the machine's memory",
    ],
    [
      "a port without link",
      { lastSeen: "the switch's port vm1.1 has no link", rung: "link" },
      "the switch's port vm1.1 has no link: the machine's driver is not attached",
    ],
    ["no console", { console: [], rung: "console", lastSeen: "an empty console" }, "the machine has printed nothing"],
    ["no agent", { console: boot, rung: "agent" }, "the guest agent does not answer"],
    ["no set-up", { console: boot, rung: "init" }, "the guest has not finished its set-up"],
    ["no NIC", { console: boot, rung: "nic" }, "the guest has not given its NICs to DPDK"],
    ["nothing that is known", { console: boot, switchLog: ["serving"], rung: "link" }, undefined],
  ])("%s", (_what, evidence, cause) => {
    expect(guessCause(evidence)?.cause).toBe(cause);
  });

  it("always says how to mend it", () => {
    for (const rung of ["console", "agent", "init", "nic"]) expect(guessCause({ rung })?.hint).toMatch(/\.$/);
  });
});
