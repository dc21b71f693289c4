/** Two virtual machines joined by the switch, libmtcp on DPDK inside both. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eachTestLeavesNothing, FOR_VMS } from "../../support/lab-hooks.js";
import { failures, parseReport, skippedSuites } from "../../support/report.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const LAB = "lab/examples/two-vms/lab.yaml";
const NAME = "two-vms";
const UP_MS = 60_000;
const reason = missing(FOR_VMS);

interface Status {
  readonly running: boolean;
  readonly machines: readonly { readonly name: string; readonly address: string; readonly mac: string }[];
}

describe.skipIf(reason)(`two virtual machines${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  eachTestLeavesNothing(vnflab);

  it("come up within a minute, pass all suites and leave nothing", async () => {
    const started = performance.now();
    await vnflab.must("up", LAB);
    const upMs = performance.now() - started;
    const status = await vnflab.json<Status>("status", NAME);
    expect(status).toMatchObject({
      running: true,
      machines: [
        { name: "vm1", address: "169.254.9.8/24", mac: "02:00:00:00:00:01" },
        { name: "vm2", address: "169.254.9.3/24", mac: "02:00:00:00:00:02" },
      ],
    });
    const { exitCode, stdout, stderr } = await vnflab.command("test", NAME, "--json");
    const report = parseReport(stdout || "{}");
    expect(failures(report), stderr).toEqual([]);
    expect(skippedSuites(report)).toEqual([]);
    expect(exitCode).toBe(0);
    const bulk = report.cases.find(({ id }) => id === "tcp.bulk");
    expect(bulk?.figures).toMatchObject({ bytes_sent: 104_857_600, bytes_received: 104_857_600, verified: true });

    const inside = 'cat /proc/sys/kernel/hostname; cat >/dev/null; echo oops >&2; exit "$1"';
    const run = await vnflab.command("exec", NAME, "vm2", "--", "sh", "-c", inside, "sh", "7");
    expect(run).toMatchObject({ exitCode: 7, stdout: "vm2\n", stderr: "oops\n" });
    const background = await vnflab.must("exec", NAME, "vm2", "--", "sh", "-c", "sleep 600 & echo here");
    expect(background.stdout).toBe("here\n");
    expect((await vnflab.must("logs", NAME, "vm1")).stdout).toContain("vnflab: ready");
    expect(await vnflab.json("console", NAME, "vm1")).toMatchObject({ machine: "vm1" });

    await vnflab.must("down", NAME);
    expect(vnflab.leftovers()).toEqual([]);
    expect(upMs).toBeLessThan(UP_MS);
  });

  it("Ctrl-C while they boot takes all down", async () => {
    const { exitCode, stderr } = await vnflab.signalAt("vm1: running", "SIGINT", "up", LAB);
    expect(exitCode, stderr).toBe(130);
    expect(vnflab.leftovers()).toEqual([]);
  });

  it("a guest that is too slow is told with the rung and what was seen last, and all is taken down", async () => {
    const file = join(vnflab.folder, "slow.yaml");
    writeFileSync(file, "name: slow\ndeadlines: {console: 0.2}\nmachines: {vm: {}}\n");
    const { exitCode, stderr } = await vnflab.command("up", file);
    expect(exitCode, stderr).toBe(12);
    expect(stderr).toMatch(/error VNF_NOT_READY: vm: the rung "console" was not reached in 0.2 s; last seen: /);
    expect(stderr).toContain("hint: ");
    expect(vnflab.leftovers()).toEqual([]);
  });

  it("a guest that does not boot is told with its last words, and all is taken down", async () => {
    const built = join(REPOSITORY, "build/images/guest/current");
    const image = join(vnflab.folder, "broken");
    mkdirSync(image);
    const manifest = JSON.parse(readFileSync(join(built, "manifest.json"), "utf8"));
    for (const part of [manifest.kernel, manifest.initrd, manifest.rootfs]) {
      symlinkSync(join(built, part), join(image, part));
    }
    const kernelArgs = "console=ttyS0 panic=-1 rdinit=/absent root=/dev/absent";
    writeFileSync(join(image, "manifest.json"), JSON.stringify({ ...manifest, kernelArgs }));
    const file = join(vnflab.folder, "broken.yaml");
    writeFileSync(file, "name: broken\nmachines: {vm: {image: broken}}\n");
    const { exitCode, stderr } = await vnflab.command("up", file);
    expect(exitCode, stderr).toBe(11);
    expect(stderr).toContain("error VNF_MACHINE_FAILED: ");
    expect(stderr).toMatch(/Kernel panic/);
    expect(vnflab.leftovers()).toEqual([]);
  });

  it("a template without a placeholder is refused before anything starts", async () => {
    writeFileSync(join(vnflab.folder, "bad.xml"), "<domain type='kvm'><name>{{name}}</name></domain>\n");
    const file = join(vnflab.folder, "template.yaml");
    writeFileSync(file, "name: template\nmachines: {vm: {template: bad.xml}}\n");
    const { exitCode, stderr } = await vnflab.command("up", file);
    expect(exitCode, stderr).toBe(4);
    expect(stderr).toContain("bad.xml: the placeholder {{interfaces}} is missing");
  });
});
