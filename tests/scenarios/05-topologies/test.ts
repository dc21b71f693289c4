/**
 * The examples beyond two machines of the same kind: eight processes on one switch, chains whose middleboxes forward, a
 * star with a load balancer, the Linux kernel as the peer. Where a virtual machine is not what matters it is a process.
 */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Lab } from "vnflab";
import { eachTestLeavesNothing, FOR_PROCESSES, FOR_VMS } from "../../support/lab-hooks.js";
import { failures, parseReport } from "../../support/report.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const EXAMPLES = join(REPOSITORY, "lab/examples");
/** What is promised for eight processes. */
const UP_S = 10;
/** The address of the star's service, and as many connections as hardly ever all fall to one backend. */
const SERVICE = "10.9.9.9";
const CONNECTIONS = 32;
const DEADLINE_MS = 120_000;
const noSwitch = missing(FOR_PROCESSES);
const noImage = noSwitch ?? missing(FOR_VMS);

describe("topologies", () => {
  const vnflab = new Vnflab();
  eachTestLeavesNothing(vnflab);

  it.skipIf(noSwitch)(
    `eight processes are up in ${UP_S} s, and every neighbour hears the next${noSwitch ? ` (${noSwitch})` : ""}`,
    async () => {
      const started = performance.now();
      await vnflab.must("up", join(EXAMPLES, "eight-processes/lab.yaml"));
      const seconds = (performance.now() - started) / 1000;
      const run = await vnflab.command("test", "eight-processes", "--quick", "--json", "--only", "tcp.connections");
      expect(run.stdout, run.stderr).not.toBe("");
      const report = parseReport(run.stdout);
      expect(failures(report), run.stderr).toEqual([]);
      expect(report.cases).toHaveLength(14);
      await vnflab.must("down", "eight-processes");
      expect(seconds).toBeLessThan(UP_S);
    },
  );

  const asProcess = (...machines: readonly string[]) =>
    machines.flatMap((machine) => ["--set", `machines.${machine}.kind=process`]);

  it.skipIf(noImage).each([
    { example: "middlebox", settings: [], cases: ["tcp.bulk"], ends: ["client", "server"] },
    { example: "chain", settings: asProcess("client", "server"), cases: ["tcp.bulk"], ends: ["client", "server"] },
    { example: "kernel-peer", settings: asProcess("ours"), cases: ["tcp.bulk"], ends: ["ours", "kernel"] },
  ])(
    `$example: $cases pass both ways between $ends${noImage ? ` (${noImage})` : ""}`,
    async ({ example, settings, cases, ends }) => {
      const lab = join(EXAMPLES, example, "lab.yaml");
      const only = cases.flatMap((name) => ["--only", name]);
      const run = await vnflab.command("demo", lab, ...settings, "--quick", "--json", ...only);
      expect(run.stdout, run.stderr).not.toBe("");
      const report = parseReport(run.stdout);
      expect(failures(report), run.stderr).toEqual([]);
      const ways = [ends, ends.toReversed()];
      expect(report.cases.map(({ id, from, to, status }) => [id, from, to, status])).toEqual(
        cases.flatMap((id) => ways.map((way) => [id, ...way, "passed"])),
      );
    },
  );

  it.skipIf(noImage)(
    `star: connections to the service's address come to both backends${noImage ? ` (${noImage})` : ""}`,
    async () => {
      using _here = vnflab.here();
      await using lab = await Lab.up(join(EXAMPLES, "star/lab.yaml"), { set: { "machines.client.kind": "process" } });
      const wait = { deadlineMs: DEADLINE_MS, signal: new AbortController().signal };
      await using first = await lab.machine("backend1").start("tcp_sink", []);
      await using second = await lab.machine("backend2").start("tcp_sink", []);
      for (const sink of [first, second]) await sink.listening(wait);
      const service = ["-a", SERVICE, "-p", "9999", "-c", String(CONNECTIONS), "-b", "64k"];
      await using source = await lab.machine("client").start("tcp_source", service);
      const sent = await source.result(wait);
      expect([sent.exitCode, sent.said]).toEqual([0, expect.anything()]);
      const counts = await Promise.all([first, second].map(async (sink) => (await sink.stop()).figures));
      const connections = counts.map((figures) => Number(figures?.connections));
      expect(connections.reduce((sum, count) => sum + count)).toBe(CONNECTIONS);
      for (const count of connections) expect(count).toBeGreaterThan(0);
      for (const figures of counts) expect(figures).toMatchObject({ verified: true });
    },
  );
});
