/** `vnflab results`: runs that were made up, in the files of a host in memory. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { extract } from "tar-stream";
import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine } from "../engine/fake-engine.js";
import { planTrials } from "../experiments/plan/plan-trials.js";
import { createStore } from "../experiments/store.js";
import { type MakeRun, makeExperiment, makeRun, SHARED_HOST } from "../experiments/testing/make-run.js";
import { parseExperiment } from "../model/experiment/parse-experiment.js";
import type { Manifest, Run, TrialResult } from "../model/experiment/run-folder.js";
import type { PlanOptions } from "../model/experiment/trial.js";
import { runFake } from "./fake-io.js";

let engine: FakeEngine;

const SOURCE = readFileSync(new URL("../../experiments/connection-rate.yaml", import.meta.url), "utf8");
const SCRIPT = readFileSync(new URL("../../reproduce/reproduce.sh", import.meta.url), "utf8");
const OWN = parseExperiment(SOURCE, "connection-rate.yaml");

beforeEach(async () => {
  engine = await fakeEngine();
  await engine.host.files.write("/repo/lab/experiments/connection-rate.yaml", SOURCE);
  await engine.host.files.write("/repo/lab/reproduce/reproduce.sh", SCRIPT);
});

const results = (...argv: string[]) => runFake(engine, ["results", ...argv]);
const json = async (...argv: string[]) => JSON.parse((await results(...argv, "--json")).out);

const EXPERIMENT = makeExperiment({
  expected: [
    {
      ...{ name: "more", says: "Four workers answer more than one.", quantity: "requests_per_second" },
      ...{ where: {}, needs: ["ratio"], kind: "ratio", of: { workers: 4 }, to: { workers: 1 }, least: 1.5 },
    },
  ],
});

interface Made extends Partial<MakeRun> {
  readonly options?: Partial<PlanOptions>;
  readonly manifest?: Partial<Manifest>;
  /** Of its results. */
  readonly keep?: (result: TrialResult, index: number) => boolean;
}

/** In the state folder. */
async function make(name: string, { options, manifest, keep, ...more }: Made = {}): Promise<Run> {
  const all: PlanOptions = { quick: false, only: [], ...options };
  const { experiment, trials } = planTrials(more.experiment ?? EXPERIMENT, all);
  const made = makeRun({ seed: 1, noise: SHARED_HOST, ...more, experiment, trials, name });
  const folder = `${engine.context.layout.stateRoot}/results/${name}`;
  const store = await createStore(engine.host.files, folder, { ...made.manifest, options: all, ...manifest });
  for (const result of made.results.filter(keep ?? (() => true))) await store.append(result);
  return { ...made, folder };
}

describe("vnflab results ls and show", () => {
  it("lists runs with what became of their trials, those that are damaged too", async () => {
    expect((await results("ls")).out).toBe("no run\n");
    await make("b", { keep: (_, i) => i > 2 });
    await make("a", { ends: (trial) => (trial.repetition === 1 ? { status: "failed", problems: ["it broke"] } : {}) });
    await make("c");
    await engine.host.files.write(`${engine.context.layout.stateRoot}/results/c/manifest.json`, "{");
    const { out } = await results("ls");
    expect(out).toMatch(/^a +made +2026-01-05 10:00 +24\/30 +6 +0 +0/m);
    expect(out).toMatch(/^b +made +2026-01-05 10:00 +27\/30 +0 +0 +3/m);
    expect(out).toMatch(/^c +- .*manifest\.json: not JSON$/m);
    expect((await json("ls")).runs).toHaveLength(3);
  });

  it("shows figures with their intervals, what gave none, and what was expected", async () => {
    await make("a", {
      fitness: { checks: [], stamp: ["noise: latencies are not comparable"], forbids: ["latency"] },
      ends: ({ conditions, repetition }) =>
        conditions.workers === 2 && repetition === 1
          ? { status: "failed", values: {}, problems: ["it broke"] }
          : undefined,
    });
    const { out, exitCode } = await results("show", "a");
    expect(exitCode).toBe(0);
    expect(out).toContain("! noise: latencies are not comparable\n");
    expect(out).toMatch(/^distribution +workers +n +median +95 % interval +least +most/m);
    expect(out).toMatch(/^shared +4 +5 +[\d,]+ +[\d,]+ to [\d,]+ /m);
    expect(out).toMatch(/^ {2}distribution=direct workers=2 +1 failed +it broke$/m);
    expect(out).toMatch(/^ {2}agrees +Four workers answer more than one\. +workers=4 \/ workers=1/m);
    const data = await json("show", "a");
    expect(data.cells).toHaveLength(6);
    expect(data.judgements).toMatchObject([{ name: "more", verdict: "agrees" }]);
  });
});

describe("vnflab results compare", () => {
  beforeEach(async () => {
    await make("before");
    await make("after", { seed: 2 });
    await make("slow", { seed: 3, speed: ({ workers }) => 0.7 * workers ** 0.7 });
  });

  it("ends with 0 when nothing differs, with 1 when B is worse", async () => {
    const same = await results("compare", "before", "after");
    expect(same).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("no difference of 5 % or more was found\n"),
    });
    const slow = await results("compare", "before", "slow");
    expect(slow.exitCode).toBe(1);
    expect(slow.out).toMatch(/^requests_per_second +6 +0\.\d{3} +0\.\d{3} to 0\.\d{3} +< 0\.0001 +worse$/m);
    expect(slow.out).toMatch(/B is worse\n$/);
    expect(await json("compare", "before", "slow")).toMatchObject({ schemaVersion: 1, worse: true, better: false });
  });

  it("ends with 1 when B is better only if it is asked to", async () => {
    expect((await results("compare", "slow", "before")).exitCode).toBe(0);
    expect((await results("compare", "slow", "before", "--gate", "any")).exitCode).toBe(1);
    expect((await results("compare", "before", "slow", "--least-effect", "50")).exitCode).toBe(0);
    expect((await results("compare", "before", "slow", "--least-effect", "x")).exitCode).toBe(2);
  });

  it("prints each cell when asked to, and refuses what is no run or has nothing in common", async () => {
    const { out } = await results("compare", "before", "after", "--all");
    expect(out.match(/^distribution=\w+ workers=\d +\w+ /gm)).toHaveLength(12);
    expect(await results("compare", "befor", "after")).toMatchObject({
      ...{ exitCode: 2, err: expect.stringContaining('no run "befor" (did you mean "before"?)') },
    });
    await make("udp", { experiment: makeExperiment({ fixed: { workload: "udp" }, quantities: ["goodput"] }) });
    expect(await results("compare", "before", "udp")).toMatchObject({
      ...{ exitCode: 52, err: expect.stringContaining("VNF_RUNS_DIFFER") },
    });
  });
});

describe("vnflab results merge", () => {
  const shard = (index: number, count = 3) => ({ options: { shard: { index, count } } });

  it("makes one run of all shards, whose plan is the whole", async () => {
    for (const index of [1, 2, 3]) await make(`part${index}`, { ...shard(index), seed: index });
    const { out, exitCode } = await results("merge", "/out/whole", "part2", "part1", "part3");
    expect({ out, exitCode }).toEqual({ out: "/out/whole: 30 results of 30 trials\n", exitCode: 0 });
    const manifest = JSON.parse((await engine.host.files.readText("/out/whole/manifest.json")) ?? "");
    const plan = planTrials(EXPERIMENT, { quick: false, only: [] });
    expect(manifest.trials).toEqual(plan.trials);
    expect(manifest).toMatchObject({
      run: "whole",
      parts: ["part2", "part1", "part3"],
      options: { quick: false, only: [] },
    });
    expect(await json("verify", "/out/whole")).toMatchObject({ ok: true });
    expect((await results("merge", "/out/whole", "part1", "part2", "part3")).exitCode).toBe(22);
  });

  it("takes halves of one run, and keeps once what both have", async () => {
    await make("begun", { keep: (_, i) => i < 20 });
    await make("ended", { keep: (_, i) => i >= 10 });
    expect((await results("merge", "/out/whole", "begun", "ended")).out).toBe("/out/whole: 30 results of 30 trials\n");
    expect((await results("verify", "/out/whole")).exitCode).toBe(0);
  });

  it("refuses what does not belong together, and says why", async () => {
    await make("one", shard(1));
    await make("two", shard(2));
    await make("whole");
    await make("again", { seed: 2 });
    await make("half", { options: { shard: { index: 2, count: 2 } } });
    await make("seeded", { options: { seed: 7 } });
    await make("quick", { options: { repeat: 2 } });
    await make("other", { experiment: { ...EXPERIMENT, name: "other" } });
    const third = { ...shard(3), manifest: { host: { ...(await make("x")).manifest.host, cpu: "another" } } };
    await make("three", third);
    await make("newer", { ...shard(3), manifest: { revision: { commit: "f00d", changed: false } } });
    const refused = async (...parts: string[]) => {
      const { exitCode, err } = await results("merge", "/out/no", ...parts);
      expect(exitCode).toBe(52);
      return err;
    };
    expect(await refused("one", "two")).toContain("shard 3 of 3 is missing");
    expect(await refused("one", "whole")).toContain("some are shards of the plan, others are of the whole");
    expect(await refused("one", "half")).toContain("divided into other numbers of shards");
    expect(await refused("whole", "again")).toContain("has another result in another part");
    expect(await refused("whole", "seeded")).toContain("not of the same experiment");
    expect(await refused("whole", "other")).toContain("not of the same experiment");
    expect(await refused("one", "two", "newer")).toContain("made by other revisions");
    expect(await refused("one", "two", "three")).toContain("made on hosts that are not alike");
    expect(await engine.host.files.kind("/out/no")).toBeUndefined();
    expect((await results("merge", "/out/yes", "one", "two", "three", "--allow-other-host")).exitCode).toBe(0);
  });
});

describe("vnflab results verify", () => {
  const failed = async (name: string) => {
    const { checks, ok } = await json("verify", name);
    expect(ok).toBe(false);
    return (checks as { ok: boolean; name: string; detail: string }[])
      .filter((check) => !check.ok)
      .map((check) => `${check.name}: ${check.detail}`);
  };

  it("finds nothing wrong with a run that is whole, a quick one and one of chosen levels too", async () => {
    await make("whole");
    const { out, exitCode } = await results("verify", "whole");
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^ok +plan +30 trials, as planned anew from the experiment and the options$/m);
    await make("quick", {
      experiment: OWN,
      options: { quick: true, machines: "process", shard: { index: 1, count: 2 } },
    });
    expect((await results("verify", "quick")).exitCode).toBe(0);
    await make("few", { experiment: OWN, options: { only: [{ factor: "workers", levels: ["1"] }] } });
    expect((await results("verify", "few")).exitCode).toBe(0);
  });

  it("finds what is missing, twice, of another cell, or ran otherwise than wanted", async () => {
    await make("short", { keep: (_, i) => i > 0 });
    expect(await failed("short")).toEqual([expect.stringMatching(/^complete: trial [0-9a-f]{16} has no result$/)]);
    const { results: made, folder } = await make("twice");
    const file = `${folder}/results.jsonl`;
    await engine.host.files.append(file, `${JSON.stringify(made[3])}\n`);
    expect(await failed("twice")).toEqual([expect.stringMatching(/^each trial once: trial [0-9a-f]{16} has 2 lines$/)]);
    await make("moved", { ends: (trial) => ({ repetition: trial.repetition + 1 }) });
    expect(await failed("moved")).toEqual([expect.stringContaining("of another cell or repetition; ")]);
    await make("ran", { ends: ({ levels }) => (levels.workers === 4 ? { effective: { workers: 2 } } : undefined) });
    expect(await failed("ran")).toEqual([expect.stringContaining("ran with workers 2, wanted 4")]);
    await make("unplanned", { manifest: { experiment: makeExperiment({ repetitions: 6 }) } });
    expect(await failed("unplanned")).toEqual([expect.stringContaining("of the experiment is not planned")]);
    await engine.host.files.write(file, "{}\n");
    expect(await failed("twice")).toEqual([expect.stringContaining("readable: ")]);
  });

  it("a trial that failed and was run again is no fault", async () => {
    const { results: made, folder } = await make("again", { keep: (_, i) => i > 0 });
    const file = `${folder}/results.jsonl`;
    const failedOnce = { ...made[0], status: "failed", values: {}, problems: ["it broke"] };
    await engine.host.files.append(file, `${JSON.stringify(failedOnce)}\n${JSON.stringify(made[0])}\n`);
    expect((await results("verify", "again")).exitCode).toBe(0);
  });
});

describe("vnflab results bundle", () => {
  const options = {
    quick: true,
    machines: "process",
    only: [{ factor: "stack", levels: ["libmtcp"] }],
    repeat: 3,
  } as const;

  it("packs the run, its experiment, checksums and the script; the same bytes each time", async () => {
    const { folder } = await make("own", { experiment: OWN, options });
    await engine.host.files.write(`${folder}/logs/t.log`, "a log\n");
    await engine.host.files.write(`${folder}/report.html`, "<p>\n");
    await engine.host.files.write(`${folder}/figures/a.svg`, "<svg/>\n");
    await engine.host.files.write(`${folder}/core`, "not ours\n");
    const { files } = await json("bundle", "own", "/out/own.tar.gz");
    const entries = await unpack("/out/own.tar.gz");
    expect([...entries.keys()]).toEqual(files.map((file: string) => `own/${file}`));
    expect(files).toEqual([
      ...["arguments", "experiment.yaml", "reproduce.sh", "revision", "run/figures/a.svg", "run/manifest.json"],
      ...["run/report.html", "run/results.jsonl", "SHA256SUMS"],
    ]);
    expect(entries.get("own/arguments")?.text).toBe(
      "--quick\n--only\nstack=libmtcp\n--repeat\n3\n--set\nmachines=process\n",
    );
    expect(entries.get("own/experiment.yaml")?.text).toBe(SOURCE);
    expect(entries.get("own/reproduce.sh")).toEqual({ text: SCRIPT, mode: 0o755 });
    for (const line of (entries.get("own/SHA256SUMS")?.text ?? "").trim().split("\n")) {
      const [sum, path] = line.split("  ");
      expect(
        createHash("sha256")
          .update(entries.get(`own/${path}`)?.text ?? "")
          .digest("hex"),
      ).toBe(sum);
    }
    await results("bundle", "own", "/out/again.tar.gz");
    expect(await engine.host.files.readBytes("/out/again.tar.gz")).toEqual(
      await engine.host.files.readBytes("/out/own.tar.gz"),
    );
    expect((await json("bundle", "own", "/out/logs.tar.gz", "--logs")).files).toContain("run/logs/t.log");
  });

  it("is checked where it was unpacked", async () => {
    await make("own", { experiment: OWN, options });
    await results("bundle", "own", "/out/own.tar.gz");
    for (const [path, { text }] of await unpack("/out/own.tar.gz"))
      await engine.host.files.write(`/there/${path}`, text);
    const { out, exitCode } = await results("verify", "/there/own/run");
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^ok +checksums +6 files as in SHA256SUMS$/m);
    await engine.host.files.append("/there/own/run/results.jsonl", "\n");
    expect((await results("verify", "/there/own/run")).out).toMatch(
      /^FAILED +checksums +run\/results.jsonl has changed$/m,
    );
    await engine.host.files.write("/there/own/SHA256SUMS", `${"0".repeat(64)}  ../../etc/passwd\n`);
    expect((await results("verify", "/there/own/run")).out).toMatch(/^FAILED +checksums +SHA256SUMS is not a list/m);
  });

  it("wants the experiment's file when it is nobody's, or has changed", async () => {
    await make("stranger");
    expect(await results("bundle", "stranger", "/out/b.tar.gz")).toMatchObject({
      ...{ exitCode: 2, err: expect.stringContaining("made is none of vnflab's own experiments") },
    });
    await make("own", { experiment: OWN, options });
    const changed = SOURCE.replace("fixed: {workload: short}", "fixed: {workload: short, payload: 65}");
    await engine.host.files.write("/repo/lab/experiments/connection-rate.yaml", changed);
    await engine.host.files.write("/old.yaml", SOURCE);
    expect(await results("bundle", "own", "/out/b.tar.gz")).toMatchObject({
      ...{ exitCode: 52, err: expect.stringContaining("connection-rate.yaml does not plan what own has measured") },
    });
    expect((await results("bundle", "own", "/out/b.tar.gz", "--experiment", "/old.yaml")).exitCode).toBe(0);
  });
});

async function unpack(file: string): Promise<Map<string, { text: string; mode: number | undefined }>> {
  const bytes = gunzipSync((await engine.host.files.readBytes(file)) ?? new Uint8Array());
  const entries = new Map<string, { text: string; mode: number | undefined }>();
  const archive = extract();
  archive.end(bytes);
  for await (const entry of archive) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    entries.set(entry.header.name, { text: Buffer.concat(chunks).toString(), mode: entry.header.mode });
  }
  return entries;
}

describe("vnflab results report", () => {
  beforeEach(async () => {
    for (const name of ["page.js", "page.css"]) await engine.host.files.write(`/repo/lab/dist/report-page/${name}`, "");
  });

  it("writes the report into the run's folder, anew each time", async () => {
    const { folder } = await make("one");
    await engine.host.files.write(`${folder}/figures/of-an-earlier-report.svg`, "<svg/>\n");
    const { out, exitCode } = await results("report", "one");
    expect(exitCode).toBe(0);
    expect(out).toContain(`${folder}/report.html\n30 trials: 30 measured, 0 failed`);
    expect(out).toContain("Of 1 expectations 1 agree");
    expect(await engine.host.files.readText(`${folder}/report.html`)).toContain("Four workers answer more than one.");
    expect(await engine.host.files.list(`${folder}/figures`)).toEqual([]);
    expect((await json("report", folder)).files).toContain(`${folder}/report.md`);
  });

  it("knows no other run", async () => {
    await make("one");
    const { exitCode, err } = await results("report", "onne");
    expect(exitCode).toBe(2);
    expect(err).toContain('no run "onne"');
  });
});
