/** An experiment between processes: killed in the middle and resumed, in parts that are put together, and its report. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { eachTestLeavesNothing, FOR_PROCESSES } from "../../support/lab-hooks.js";
import { missing, Vnflab } from "../../support/vnflab.js";

const reason = missing(FOR_PROCESSES);

const EXPERIMENT = `
name: tiny
title: Tiny
question: Does all of it run?
machines: process
factors:
  workload: [rpc, bulk]
  distribution: [shared, 1kb]
repetitions: 2
warmup: 200ms
duration: 500ms
quantities: [requests_per_second, goodput]
telemetry: true
`;
/** 4 combinations, each twice for its speed and twice for its counters. */
const TRIALS = 16;

const summary = z.object({
  folder: z.string(),
  planned: z.number(),
  measured: z.number(),
  failed: z.number(),
  files: z.array(z.string()).optional(),
});
const line = z.object({
  trial: z.string(),
  telemetry: z.boolean(),
  status: z.string(),
  problems: z.array(z.string()),
  values: z.record(z.string(), z.number()),
});

describe.skipIf(reason)(`experiments${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  eachTestLeavesNothing(vnflab);

  const file = () => {
    const path = join(vnflab.folder, "tiny.yaml");
    writeFileSync(path, EXPERIMENT);
    return path;
  };
  const results = (folder: string) =>
    readFileSync(join(folder, "results.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((text) => line.parse(JSON.parse(text)));
  const planned = (folder: string) =>
    z
      .object({ trials: z.array(z.object({ id: z.string() })) })
      .parse(JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")))
      .trials.map(({ id }) => id);

  it("killed in the middle it is resumed: each trial once, and nothing is left running", async () => {
    const folder = join(vnflab.folder, "killed");
    const killed = await vnflab.signalAt(`4 of ${TRIALS}`, "SIGKILL", "experiment", "run", file(), "--out", folder);
    expect(killed.stderr).toContain(`4 of ${TRIALS}`);
    const before = results(folder).map(({ trial }) => trial);
    expect(before.length).toBeGreaterThanOrEqual(4);
    expect(before.length).toBeLessThan(TRIALS);

    const resumed = summary.parse(await vnflab.json("experiment", "resume", folder));
    expect(resumed).toMatchObject({ planned: TRIALS, measured: TRIALS, failed: 0 });
    const all = results(folder);
    expect(all.map(({ trial }) => trial)).toEqual(planned(folder));
    expect(all.map(({ trial }) => trial).slice(0, before.length)).toEqual(before);
    for (const { telemetry, values, problems } of all) {
      expect(problems).toEqual([]);
      expect(values.requests_per_second ?? values.goodput).toBeGreaterThan(0);
      expect(telemetry ? values.distributed_frames_per_second : 1).toBeGreaterThan(0);
    }
  });

  it("two parts of it are all of it, and repro of some levels writes the report", async () => {
    const only = ["--only", "workload=rpc"];
    const plan = await vnflab.json<{ trials: { id: string }[] }>("experiment", "plan", file(), ...only);
    const folders: string[] = [];
    for (const part of ["1/2", "2/2"]) {
      const folder = join(vnflab.folder, part.replace("/", "of"));
      const run = await vnflab.json("repro", file(), "--shard", part, ...only, "--out", folder);
      const { measured, planned: wanted, files = [] } = summary.parse(run);
      expect(measured).toBe(wanted);
      expect(readFileSync(files[0] ?? "", "utf8")).toContain("<html");
      folders.push(folder);
    }
    const whole = join(vnflab.folder, "whole");
    await vnflab.must("results", "merge", whole, ...folders);
    const merged = results(whole).map(({ trial }) => trial);
    expect(merged).toHaveLength(TRIALS / 2);
    expect(merged.sort()).toEqual(plan.trials.map(({ id }) => id).sort());
    await vnflab.must("results", "verify", whole);
  });
});
