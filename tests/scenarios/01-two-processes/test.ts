/** Two processes on this host joined by the switch: the whole lab without VM, root and hugepages. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eachTestLeavesNothing, FOR_PROCESSES } from "../../support/lab-hooks.js";
import { failures, parseReport, skippedSuites } from "../../support/report.js";
import { missing, Vnflab } from "../../support/vnflab.js";

const LAB = "lab/examples/two-processes/lab.yaml";
const NAME = "two-processes";
const reason = missing(FOR_PROCESSES);

interface Status {
  readonly running: boolean;
  readonly switch: { readonly pid: number };
  readonly machines: readonly { readonly name: string; readonly address: string }[];
}

describe.skipIf(reason)(`two processes${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  eachTestLeavesNothing(vnflab);

  it("come up, pass all suites and leave nothing", async () => {
    await vnflab.must("up", LAB);
    const status = await vnflab.json<Status>("status", NAME);
    expect(status.running).toBe(true);
    expect(status.machines.map(({ address }) => address)).toEqual(["169.254.9.1/24", "169.254.9.2/24"]);

    const { exitCode, stdout, stderr } = await vnflab.command("test", NAME, "--json");
    const report = parseReport(stdout || "{}");
    expect(failures(report), stderr).toEqual([]);
    expect(skippedSuites(report)).toEqual(["kernel"]);
    expect(exitCode).toBe(0);
    const bulk = report.cases.find(({ id }) => id === "tcp.bulk");
    expect(bulk?.figures).toMatchObject({ bytes_sent: 104_857_600, bytes_received: 104_857_600, verified: true });

    await vnflab.must("down", NAME);
    expect(vnflab.leftovers()).toEqual([]);
    expect((await vnflab.command("down", NAME)).exitCode).toBe(16);
  });

  it("exec gives output, errors and exit code of a command", async () => {
    await vnflab.must("up", LAB);
    const run = await vnflab.command(
      "exec",
      NAME,
      "left",
      "--",
      "sh",
      "-c",
      'echo "$1"; echo oops >&2; exit 7',
      "sh",
      "a 'b'",
    );
    expect(run).toMatchObject({ exitCode: 7, stdout: "a 'b'\n" });
    expect(run.stderr).toBe("oops\n");
    const background = await vnflab.must("exec", NAME, "left", "--", "sh", "-c", "sleep 600 & echo here");
    expect(background.stdout).toBe("here\n");
  });

  it("up again changes nothing; demo does all in one", async () => {
    await vnflab.must("up", LAB);
    expect((await vnflab.must("up", LAB)).stderr).toContain(`${NAME}: nothing to do`);
    await vnflab.must("down", NAME);
    const demo = await vnflab.must("demo", LAB, "--quick", "--only", "tcp.bulk", "udp.echo");
    expect(demo.stdout).toContain("4 passed, 0 failed, 0 skipped, 0 blocked");
  });

  it("Ctrl-C while it comes up takes all down", async () => {
    const { exitCode, stderr } = await vnflab.signalAt("start left", "SIGINT", "up", LAB);
    expect(exitCode, stderr).toBe(130);
    expect(vnflab.leftovers()).toEqual([]);
  });

  it("a command that is killed leaves nothing that down does not find", async () => {
    await vnflab.signalAt("check the link of left", "SIGKILL", "up", LAB);
    expect(vnflab.leftovers()).not.toEqual([]);
    await vnflab.must("down", NAME);
    expect(vnflab.leftovers()).toEqual([]);
  });

  it("a switch that dies is told with its log, and down still cleans", async () => {
    await vnflab.must("up", LAB);
    const { switch: sw } = await vnflab.json<Status>("status", NAME);
    process.kill(sw.pid, "SIGKILL");
    await expect.poll(() => vnflab.command("status", NAME).then(({ exitCode }) => exitCode)).toBe(1);
    const run = await vnflab.command("test", NAME, "--quick", "--only", "tcp.link", "--deadline", "20", "--json");
    expect(run.exitCode).toBe(1);
    expect(failures(parseReport(run.stdout)).join("\n")).toContain("the switch is gone");
    // The sockets that it left are stale, and no hindrance.
    await vnflab.must("up", LAB);
  });

  it("a bad lab file is refused before anything starts", async () => {
    const file = join(vnflab.folder, "bad.yaml");
    writeFileSync(file, "name: bad\nmachines:\n  a: {kind: proces}\n");
    const { exitCode, stderr } = await vnflab.command("up", file);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`${file}:3:7: machines.a.kind: must be one of vm, process`);
  });
});
