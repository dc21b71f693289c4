/** A Debian as its cloud images are, as a user hands it to a lab: it boots by itself and becomes one of the machines. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Lab, type Machine } from "vnflab";
import { $, which } from "zx";
import { eachTestLeavesNothing, FOR_VMS } from "../../support/lab-hooks.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const MAKE_IMAGE = join(REPOSITORY, "tests/support/cloud-image.sh");
const TOOLS = ["mmdebstrap", "mke2fs", "qemu-img", "xorrisofs"];
const DEADLINE_MS = 120_000;
const BYTES = 1 << 20;

/**
 * One card on each link: the first is DPDK's, the second the kernel's. Its own boot loader, kernel, systemd and
 * cloud-init have to come up without KVM, on a host that does other things as well.
 */
const LAB = `name: cloud
links: {lan: {}, side: {subnet: 10.9.7.0/24}}
machines:
  peer: {kind: process, nics: [{link: lan}]}
  cloud: {image: {qcow2: debian.qcow2}, memory: 1G, nics: [{link: lan}, {link: side, address: 10.9.7.1/24}]}
  other: {kind: process, nics: [{link: side, address: 10.9.7.2/24}]}
deadlines: {console: 200, agent: 400, init: 400}
`;

async function obstacle(): Promise<string | undefined> {
  const lacking = missing(FOR_VMS);
  if (lacking) return lacking;
  if (process.getuid?.() !== 0) return "needs root for a root file system of its own";
  for (const tool of TOOLS) {
    if (!(await which(tool, { nothrow: true }))) return `there is no ${tool}`;
  }
  return undefined;
}

const reason = await obstacle();

describe.skipIf(reason)(`a distribution's cloud image${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  let folder = "";
  eachTestLeavesNothing(vnflab);
  beforeAll(async () => {
    mkdirSync(join(REPOSITORY, "build/test"), { recursive: true });
    // On the disk: too much for a /tmp in memory.
    folder = mkdtempSync(join(REPOSITORY, "build/test/cloud-"));
    writeFileSync(join(folder, "lab.yaml"), LAB);
    const made = await $({ quiet: true, nothrow: true })`${MAKE_IMAGE} ${join(folder, "debian.qcow2")}`;
    expect(made.exitCode, made.stderr).toBe(0);
  });
  afterAll(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it("boots, runs commands, and passes bytes by DPDK and by its kernel", async () => {
    using _here = vnflab.here();
    await using lab = await Lab.up(join(folder, "lab.yaml"));
    const [peer, cloud, other] = [lab.machine("peer"), lab.machine("cloud"), lab.machine("other")];

    const system = await cloud.exec(["sh", "-c", ". /etc/os-release; echo $ID; hostname; findmnt -no SOURCE,FSTYPE /"]);
    expect([system.exitCode, system.stdout.split(/\s+/)]).toEqual([0, ["debian", "cloud", "/dev/vda1", "ext4", ""]]);
    const code = await cloud.exec(["sh", "-c", "cat; exit 7"], { input: "by its agent" });
    expect(code).toMatchObject({ stdout: "by its agent", exitCode: 7 });

    await transfer([peer, "tcp_source"], [cloud, "tcp_sink"], cloud.address);
    await transfer([cloud, "tcp_source"], [peer, "tcp_sink"], peer.address);
    await transfer([other, "tcp_source"], [cloud, "tcp_sink-kernel"], "10.9.7.1");
    // The card is taken from DPDK, gets a name and an address of the kernel, and goes back.
    const report = await lab.test({ only: ["kernel.bulk", "kernel.ping"], amounts: { bytes: BYTES } });
    expect(report.cases.map(({ id, status, message }) => [id, status, message])).toEqual([
      ["kernel.bulk", "passed", undefined],
      ["kernel.ping", "passed", undefined],
    ]);
    await transfer([peer, "tcp_source"], [cloud, "tcp_sink"], cloud.address);
  });
});

type End = readonly [Machine, string];

async function transfer([from, source]: End, [to, sink]: End, address: string): Promise<void> {
  const wait = { deadlineMs: DEADLINE_MS, signal: new AbortController().signal };
  await using receiving = await to.start(sink, ["-l", "9998", "-n", "1"]);
  await receiving.listening(wait);
  await using sending = await from.start(source, ["-a", address, "-p", "9998", "-b", String(BYTES)]);
  const sent = await sending.result(wait);
  expect(sent.exitCode, `${sending.title}: ${sent.said.join("\n")}`).toBe(0);
  const received = await receiving.result(wait);
  expect(received, receiving.title).toMatchObject({ exitCode: 0, figures: { bytes: BYTES, verified: true } });
}
