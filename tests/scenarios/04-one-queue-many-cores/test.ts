/**
 * A virtual machine with four CPUs and one queue: the stack spreads the flows over its workers in software, in each
 * design. And the bench inside two machines, against their own kernel.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eachTestLeavesNothing, FOR_VMS } from "../../support/lab-hooks.js";
import { failures, parseReport, type SuiteReport } from "../../support/report.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const EXAMPLE = join(REPOSITORY, "lab/examples/one-queue-many-cores/lab.yaml");
const CONNECTIONS = 1000;
const reason = missing(FOR_VMS);

const benchResults = z.object({
  schemaVersion: z.literal(1),
  host: z.object({ cpu: z.string(), cores: z.number(), kernel: z.string(), memoryGb: z.number() }),
  notes: z.array(z.string()),
  rows: z.array(
    z.object({
      name: z.string(),
      unit: z.string(),
      design: z.string(),
      ours: z.number(),
      kernel: z.number(),
      ratio: z.number(),
      spread: z.number(),
      runs: z.number(),
      problems: z.array(z.string()),
    }),
  ),
});

describe.skipIf(reason)(`one queue, many cores${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  eachTestLeavesNothing(vnflab);

  const demo = async (name: string, yaml: string, ...only: string[]): Promise<SuiteReport> => {
    const file = join(vnflab.folder, `${name}.yaml`);
    writeFileSync(file, yaml);
    const { stdout, stderr } = await vnflab.command("demo", file, "--quick", "--json", "--only", ...only);
    expect(stdout, stderr).not.toBe("");
    const report = parseReport(stdout);
    expect(failures(report), stderr).toEqual([]);
    return report;
  };

  it.each([
    ["shared", 4],
    ["1kb", 3],
    ["2kb", 2],
  ])("%s spreads 1,000 connections over %d workers, within 10 % of even", async (design, workers) => {
    const yaml = readFileSync(EXAMPLE, "utf8").replace("distribution: shared", `distribution: ${design}`);
    expect(yaml).toContain(`distribution: ${design}`);
    const { cases } = await demo(design, yaml, "steer", "tcp.connections", "udp.echo");
    expect(cases).toHaveLength(6);
    const toServer = cases.find(({ id, to }) => id === "steer.spread" && to === "server");
    const shares = String(toServer?.figures.shares).split(" ").map(Number);
    expect(shares).toHaveLength(workers);
    expect(shares.reduce((sum, share) => sum + share)).toBe(CONNECTIONS);
    for (const share of shares) {
      expect(Math.abs(share / (CONNECTIONS / workers) - 1), `${design}: ${shares}`).toBeLessThanOrEqual(0.1);
    }
  });

  it("with a queue for each worker the switch and the cards distribute, also to a machine with one", async () => {
    const machines = `
  left: {cpus: 2, stack: {workers: 2, distribution: direct}}
  right: {cpus: 2, stack: {workers: 2, distribution: direct}}
  single: {kind: process}`;
    const { cases } = await demo("queues", `name: queues\nmachines:${machines}\n`, "steer", "tcp.connections");
    expect(cases).toHaveLength(8);
  });

  it("bench: at least twice the requests of the guests' kernel, in the same machines and the same run", async () => {
    const rows = ["--rows", "rpc64", "udp64", "--designs", "direct", "shared", "1kb", "2kb"];
    const run = await vnflab.command("bench", "two-vms", ...rows, "--runs", "3", "--seconds", "1", "--json");
    expect(run.exitCode, run.stderr).toBe(0);
    const results = benchResults.parse(JSON.parse(run.stdout));
    expect(results.rows).toHaveLength(8);
    for (const row of results.rows) expect(row).toMatchObject({ runs: 3, problems: [] });
    const best = results.rows.filter(({ name, design }) => name === "rpc64" && ["direct", "shared"].includes(design));
    for (const { design, ratio } of best) expect(ratio, design).toBeGreaterThanOrEqual(2);
  });
});
