import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine } from "../engine/fake-engine.js";
import { type FakePrograms, installFakePrograms } from "../experiments/testing/fake-programs.js";
import { VnflabError } from "../model/error.js";
import { runFake } from "./fake-io.js";

const SMALL = `
name: small
title: Small
question: Does it run?
machines: process
factors:
  workload: [rpc]
  distribution: [shared, 1kb]
repetitions: 2
warmup: 1s
duration: 2s
quantities: [requests_per_second]
`;

let engine: FakeEngine;
let programs: FakePrograms;

beforeEach(async () => {
  engine = await fakeEngine();
  programs = installFakePrograms(engine);
  const { files } = engine.host;
  const example = "name: two-processes\ndefaults: {kind: process}\nmachines: {left: {}, right: {}}\n";
  await files.write("/repo/lab/examples/two-processes/lab.yaml", example);
  await files.write("/repo/lab/experiments/small.yaml", SMALL);
  await files.write("/proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n");
  await files.write("/repo/lab/dist/report-page/page.js", "");
  await files.write("/repo/lab/dist/report-page/page.css", "");
});

const vnflab = (...argv: string[]) => runFake(engine, argv);

describe("vnflab experiment run", () => {
  it("tells what comes, how far it is, and the medians with what they cannot say", async () => {
    const { out, err, exitCode } = await vnflab("experiment", "run", "small", "--out", "/run");
    expect([exitCode, err]).toEqual([0, expect.stringContaining("! small: 4 trials, about ")]);
    expect(err).toContain("! results go to /run\n");
    expect(err).toMatch(/^ {2}3 of 4, about \S+ left$/m);
    expect(out).toMatch(
      /^noise: latencies are not comparable\n\nworkload +distribution +requests \(req\/s\) +trials\n/m,
    );
    expect(out).toMatch(/^rpc +shared +1000 +2\nrpc +1kb +1000 +2\n/m);
    expect(out).toContain("4 of 4 trials measured, 0 failed, 0 cannot be had here\nresults: /run\n");
  });

  it("ends with 1 when a trial has failed, and says why", async () => {
    programs.exits.rpc_server = 9;
    const run = await vnflab(
      "experiment",
      "run",
      "small",
      "--only",
      "distribution=shared",
      "--repeat",
      "1",
      "--out",
      "/run",
    );
    expect(run.exitCode).toBe(1);
    expect(run.out).toMatch(/^trial [0-9a-f]{16}: rpc_server on right ended with exit code 9/m);
    delete programs.exits.rpc_server;
    expect((await vnflab("experiment", "resume", "/run")).exitCode).toBe(1);
    const { exitCode, out } = await vnflab("experiment", "resume", "/run", "--retry-failed", "--json");
    expect([exitCode, JSON.parse(out)]).toEqual([0, expect.objectContaining({ planned: 1, measured: 1, failed: 0 })]);
  });

  it("is interrupted as other commands are, and says how to go on", async () => {
    const interrupt = new AbortController();
    programs.onClient = () => interrupt.abort(new VnflabError("VNF_INTERRUPTED", "interrupted by SIGINT"));
    const argv = ["experiment", "run", "small", "--out", "/run"];
    const { exitCode, err } = await runFake(engine, argv, { interrupted: interrupt.signal });
    expect(exitCode).toBe(130);
    expect(err).toContain("! 1 of 4 trials are in /run; `vnflab experiment resume /run` goes on\n");
    expect((await vnflab("experiment", "resume", "/run")).exitCode).toBe(0);
  });

  it("puts a run below the state folder, where it is found by its name", async () => {
    const { out } = await vnflab("experiment", "run", "small", "--json");
    const { run, folder } = JSON.parse(out) as { run: string; folder: string };
    expect(folder).toBe(`${engine.context.layout.stateRoot}/results/${run}`);
    expect((await vnflab("experiment", "resume", run)).exitCode).toBe(0);
  });
});

describe("vnflab repro", () => {
  it("runs an experiment and writes its report", async () => {
    const { out, exitCode } = await vnflab("repro", "small", "--out", "/run");
    expect(exitCode).toBe(0);
    expect(out).toContain("report: /run/report.html\n");
    expect(await engine.host.files.readText("/run/report.html")).toContain("Does it run?");
  });
});
