/** Two virtual machines joined by the switch, libmtcp on DPDK inside both. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { failures, parseReport } from "../../support/report.js";
import { missing, Vnflab } from "../../support/vnflab.js";

const LAB = "lab/examples/two-vms/lab.yaml";
const NAME = "two-vms";
const UP_MS = 60_000;
const reason = missing([
  "build/images/guest/current/manifest.json",
  "build/images/guest/payload.img",
  "build/c/bess/switch/dataplane/libvportd_dp.so",
]);

interface Status {
  readonly running: boolean;
  readonly machines: readonly { readonly name: string; readonly address: string; readonly mac: string }[];
}

describe.skipIf(reason)(`two virtual machines${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  afterEach(async () => {
    await vnflab.command("down", NAME);
    expect(vnflab.leftovers()).toEqual([]);
  });
  afterAll(() => vnflab.remove());

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
    expect(exitCode).toBe(0);
    const bulk = report.cases.find(({ id }) => id === "tcp.bulk");
    expect(bulk?.figures).toMatchObject({ bytes_sent: 104_857_600, bytes_received: 104_857_600, verified: true });

    const inside = 'cat /proc/sys/kernel/hostname; cat >/dev/null; echo oops >&2; exit "$1"';
    const run = await vnflab.command("exec", NAME, "vm2", "--", "sh", "-c", inside, "sh", "7");
    expect(run).toMatchObject({ exitCode: 7, stdout: "vm2\n", stderr: "oops\n" });
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

  it("a guest that does not boot is told with its console, and all is taken down", async () => {
    const file = join(vnflab.folder, "short.yaml");
    writeFileSync(file, "name: short\ndeadlines: {agent: 0.5}\nmachines: {vm: {}}\n");
    const { exitCode, stderr } = await vnflab.command("up", file);
    expect(exitCode, stderr).toBe(12);
    expect(stderr).toMatch(/error VNF_NOT_READY: vm: the rung "agent" was not reached in 0.5 s; last seen: /);
    expect(stderr).toContain("hint: ");
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
