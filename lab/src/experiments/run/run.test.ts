import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine } from "../../engine/fake-engine.js";
import { Lab } from "../../engine/lab.js";
import { listLabs } from "../../engine/ls.js";
import { up } from "../../engine/up.js";
import { VnflabError } from "../../model/error.js";
import { parseExperiment } from "../../model/experiment/parse-experiment.js";
import type { PlanOptions } from "../../model/experiment/trial.js";
import { planTrials } from "../plan/plan-trials.js";
import { readRun } from "../store.js";
import { type FakePrograms, installFakePrograms } from "../testing/fake-programs.js";
import { makeVmsPossible } from "../testing/fake-vms.js";
import { type RunOptions, resumeRun, runExperiment } from "./run-experiment.js";
import { watchLoad } from "./telemetry.js";

const FOLDER = "/run";
const EXAMPLE = "/repo/lab/examples/two-processes/lab.yaml";
const CHOICE: PlanOptions = { quick: false, only: [] };
const never = new AbortController().signal;
const TRIALS = { deadlineMs: 60_000, capture: false, signal: never };

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
  const example = "name: two-processes\ndefaults: {kind: process}\nmachines: {left: {}, right: {}}\n";
  await engine.host.files.write(EXAMPLE, example);
  await engine.host.files.write("/proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\n");
});

function planned(yaml: string, choice = CHOICE) {
  return planTrials(parseExperiment(yaml, "small.yaml"), choice);
}

function run(yaml = SMALL, more: Partial<RunOptions> = {}) {
  const { experiment, trials } = planned(yaml);
  const common = { experiment, trials, options: CHOICE, folder: FOLDER, ...TRIALS };
  return runExperiment(engine.context, { ...common, ...more });
}

const resume = (retryFailed = false) => resumeRun(engine.context, FOLDER, { ...TRIALS, retryFailed });

const clients = () =>
  programs.calls.filter((call) => / (rpc_client|udp_source|tcp_source) /.test(call) && call.startsWith("left"));
const lines = async () => ((await engine.host.files.readText(`${FOLDER}/results.jsonl`)) ?? "").trimEnd().split("\n");

/** Interrupts, or kills, when so many clients have begun. */
function stopAfter(count: number, stop: () => void): void {
  let seen = 0;
  programs.onClient = (call) => {
    if (call.includes("rpc_client") && ++seen === count) stop();
  };
}

describe("a run", () => {
  it("measures each trial once, in a lab that is gone afterwards", async () => {
    const { manifest, results } = await run();
    expect(results.map(({ trial }) => trial).sort()).toEqual(manifest.trials.map(({ id }) => id).sort());
    for (const result of results) {
      expect(result).toMatchObject({ status: "measured", problems: [], seconds: expect.any(Number) });
      expect(result.values).toEqual({ requests_per_second: 1000, latency_p50: 20, latency_p99: 90, latency_p999: 200 });
      expect(result.effective).toMatchObject({ distribution: result.levels.distribution, workers: 1, cc: "reno" });
    }
    expect(clients()).toHaveLength(4);
    expect(clients()[0]).toMatch(/ -c 64 -s 64 -w 1 -d 2 .*--json$/);
    expect(await listLabs(engine.context)).toEqual([]);
    expect(engine.host.exec.running()).toEqual([]);
  });

  it("writes down what it was", async () => {
    const cpu = "/sys/devices/system/cpu";
    await engine.host.files.write(`${cpu}/vulnerabilities/meltdown`, "Not affected\n");
    await engine.host.files.write(`${cpu}/cpu0/cpufreq/scaling_governor`, "powersave\n");
    await engine.host.files.write("/proc/cpuinfo", "model name\t: Test\nmicrocode\t: 0xab\nflags\t: fpu\n");
    const { manifest } = await run();
    expect(manifest.host).toMatchObject({ cpu: "Test", microcode: "0xab", governor: "powersave", hypervisor: false });
    expect(manifest.host.mitigations).toEqual({ meltdown: "Not affected" });
    expect(manifest.revision).toEqual({ commit: "unknown", changed: false });
    expect(manifest).toMatchObject({ schemaVersion: 1, options: CHOICE, experiment: { name: "small" } });
    expect(manifest.run).toMatch(/^small-20260101-0000\d\d-[0-9a-f]{4}$/);
    expect(manifest.setups.map(({ setup, machines }) => [setup.cpus, machines.map(({ name }) => name)])).toEqual([
      [2, ["left", "right"]],
    ]);
    expect(manifest.setups[0]?.machines[0]?.stackConf).toContain("num_cores");
    expect(manifest.fitness.checks.map(({ name }) => name)).toContain("noise");
  });

  it("tells how far it is", async () => {
    await run();
    const told = engine.events.flatMap((event) => (event.type === "progress" ? [[event.done, event.of]] : []));
    expect(told).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
    ]);
    expect(engine.events.filter(({ type }) => type === "case-done")).toHaveLength(4);
  });

  it("puts the keys of a trial into both configuration files", async () => {
    const fixed = "fixed: {burst: 16, ring: 256, offload: csum, connections: 20000}\n";
    const { results } = await run(SMALL.replace("[shared, 1kb]", "[2kb]") + fixed);
    expect(results.map(({ problems }) => problems)).toEqual([[], []]);
    for (const machine of ["left", "right"]) {
      for (const line of [
        "num_cores = 3",
        "distribution = 2kb",
        "burst = 16",
        "steer_ring = 256",
        "offload = csum",
        "cc = reno",
      ]) {
        expect(programs.confs.get(machine)).toContain(`${line}\n`);
      }
      expect(programs.confs.get(machine)).toMatch(/^max_concurrency = 4\d{4}$/m);
    }
  });

  it("impairs the link for the trials that want it, and for no other", async () => {
    const seen: (string | undefined)[] = [];
    programs.onClient = () => void seen.push(JSON.stringify(engine.sw.impairs.get("lan") ?? null));
    const yaml = SMALL.replace("distribution: [shared, 1kb]", "loss: [0%, 1%]\n  delay: [0ms, 10ms]");
    await run(yaml.replace("repetitions: 2", "repetitions: 1"));
    const impairs = seen.map((text) => JSON.parse(text ?? "null") as { loss: number; delayUs: number } | null);
    expect(impairs.map((impair) => [impair?.loss ?? 0, impair?.delayUs ?? 0]).sort()).toEqual([
      [0, 0],
      [0, 10_000],
      [0.01, 0],
      [0.01, 10_000],
    ]);
    expect(engine.sw.impairs.get("lan")).toBeUndefined();
  });

  it("asks an open loop for a part of the peak", async () => {
    await run(SMALL.replace("distribution: [shared, 1kb]", "load: [50, 90]"));
    const rates = clients().map((call) => / -r (\d+)/.exec(call)?.[1]);
    expect(rates.slice(0, 2)).toEqual([undefined, undefined]);
    expect(rates.slice(2).sort()).toEqual(["500", "500", "900", "900"]);
  });

  it("runs each workload with its programs", async () => {
    const yaml = SMALL.replace("workload: [rpc]", "workload: [short, udp, bulk]").replace(", 1kb]", "]");
    const { results } = await run(yaml.replace("[requests_per_second]", "[connections_per_second, goodput]"));
    const values = new Map(results.map(({ levels, values: all }) => [levels.workload, all]));
    expect(values.get("short")).toMatchObject({ connections_per_second: 1000 });
    expect(values.get("udp")).toEqual({ datagrams_per_second: 2000, goodput: 0.5 });
    expect(values.get("bulk")).toEqual({ goodput: 3, goodput_gibit: 2.8 });
    expect(clients().find((call) => call.includes("tcp_source"))).toMatch(/ -s 0 -t 5 -c 16 -W 1448 /);
  });

  it("says of a process's kernel that it cannot be had, and starts nothing for it", async () => {
    const yaml = SMALL.replace("distribution: [shared, 1kb]", "stack: [libmtcp, kernel]");
    const { results } = await run(yaml);
    const of = (status: string) => results.filter((result) => result.status === status);
    expect(of("measured")).toHaveLength(2);
    expect(of("unavailable").map(({ problems }) => problems[0])).toEqual(
      Array(2).fill("a process has no kernel of its own; run it with virtual machines"),
    );
    expect(clients()).toHaveLength(2);
  });

  it("keeps the first frames of each trial when that is asked for", async () => {
    const block = (type: number) => Buffer.from(new Uint32Array([type, 16, 0, 16]).buffer);
    engine.sw.captured = [block(0x0a0d0d0a), block(6), block(6)];
    const { manifest } = await run(SMALL, { capture: true });
    for (const { id } of manifest.trials) {
      const file = await engine.host.files.readBytes(`${FOLDER}/captures/${id}.pcapng`);
      expect(Buffer.from(file ?? [])).toEqual(Buffer.concat([...engine.sw.captured]));
    }
    const captures = engine.sw.calls.filter((call) => call.includes("capture"));
    expect(captures).toEqual(Array(4).fill(["capture left both ways", "stop capture"]).flat());
  });

  it("has its figures all the same where no capture can be had", async () => {
    engine.sw.faults.capture = new VnflabError("VNF_CAPTURE", "no hooks here");
    expect((await run(SMALL, { capture: true })).results.map(({ status }) => status)).toEqual(
      Array(4).fill("measured"),
    );
    expect(engine.events).toContainEqual({ type: "note", text: "no capture: no hooks here" });
  });

  it("needs a folder of its own", async () => {
    await run();
    await expect(run()).rejects.toMatchObject({ code: "VNF_FILE_EXISTS" });
  });
});

describe("a trial that reads the counters", () => {
  const YAML = `${SMALL.replace("shared, 1kb", "shared").replace("repetitions: 2", "repetitions: 1")}telemetry: true\n`;

  /** The stack's counters as mtcpstat shows them; each look finds more frames. */
  function installMtcpstat(): void {
    let frames = 0;
    engine.host.exec.install("mtcpstat", ({ env, argv, print }) => {
      const port = /^port = (.*)$/m.exec(programs.confs.get(env.VNFLAB_MACHINE ?? "") ?? "")?.[1];
      const count = Number(argv[argv.indexOf("-n") + 1]);
      for (let at = 0; at < count; at++) {
        frames += 1000;
        const counters = { "worker.rx_polled": frames, "worker.cycles_receive": frames * 7 };
        const threads = [{ kind: "worker", index: 0, drops: 0, counters }];
        print("stdout", `${JSON.stringify({ port, seconds: 0.5, threads })}\n`);
      }
      return 0;
    });
  }

  it("has their gain while there is load", async () => {
    installMtcpstat();
    await up(engine.context, EXAMPLE, { signal: never });
    const server = (await Lab.open(engine.context, "two-processes")).machine("right");
    const values = await watchLoad(server, engine.host.clock, { warmupS: 1, durationS: 2, over: never });
    expect(values).toMatchObject({ distributed_frames_per_second: 2000, distributor_cycles_receive: 7 });
  });

  it("has failed when the load was over before", async () => {
    installMtcpstat();
    const { results } = await run(YAML);
    expect(results.map(({ telemetry, problems }) => [telemetry, problems])).toContainEqual([
      ...[true, ["the load was over before the counters were read"]],
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["failed", "measured"]);
  });
});

describe("the kernel's side", () => {
  const YAML = SMALL.replace("machines: process", "machines: vm").replace(
    "distribution: [shared, 1kb]",
    "stack: [libmtcp, kernel]\n  workers: [1, 2]",
  );
  /** `machine tool arguments` of the image's tools, with the clients in between. */
  let tools: string[];
  let congestion: Map<string, string>;
  let cpus: Map<string, string>;

  beforeEach(async () => {
    tools = [];
    congestion = new Map();
    cpus = new Map();
    await makeVmsPossible(engine);
    await engine.host.files.write(
      "/repo/lab/examples/two-vms/lab.yaml",
      "name: two-vms\nmachines: {vm1: {}, vm2: {}}\n",
    );
    tool("vnflab-card", (machine, [, driver = ""]) => note(machine, `card ${driver}`));
    tool("vnflab-cpus", (machine, [, , count = ""]) => {
      cpus.set(machine, count);
      return note(machine, `cpus ${count}`);
    });
    tool("nproc", (machine) => cpus.get(machine) ?? "");
    tool("cat", (machine) => congestion.get(machine) ?? "bbr");
    tool("sh", (machine, [, , , name = ""]) => {
      congestion.set(machine, name);
      return note(machine, `cc ${name}`);
    });
    programs.onClient = () => void tools.push("client");
  });

  /** What it prints. */
  function tool(name: string, say: (machine: string, argv: readonly string[]) => string): void {
    engine.host.exec.install(name, ({ env, argv, print }) => {
      print("stdout", say(env.VNFLAB_MACHINE ?? "", argv));
      return 0;
    });
  }

  function note(machine: string, words: string): string {
    if (machine === "vm1") tools.push(words);
    return "";
  }

  it("has the cards, so many CPUs and its congestion control for its trials alone", async () => {
    const { results, manifest } = await run(YAML);
    expect(results.map(({ problems }) => problems)).toEqual(Array(8).fill([]));
    const sha256 = createHash("sha256").update("").digest("hex");
    const images = [{ path: "/repo/build/images/guest/payload.img", sha256 }];
    expect(manifest.setups[0]?.machines).toMatchObject([
      { name: "vm1", images },
      { name: "vm2", images },
    ]);
    const kernel = results.filter(({ levels }) => levels.stack === "kernel");
    expect(kernel.map(({ effective }) => effective)).toEqual(
      kernel.map(({ levels }) => ({ workers: levels.workers, cc: "cubic" })),
    );
    const lent = tools.join(", ").match(/card kernel, cc cubic, cpus \d, client, cpus all, cc bbr, card dpdk/g);
    expect(lent).toHaveLength(4);
    expect([...congestion.values()]).toEqual(["bbr", "bbr"]);
    expect(programs.calls.filter((call) => call.startsWith("vm1 rpc_client-kernel"))).toHaveLength(4);
  });

  it("gives all back when a client fails, or the guest cannot be like that", async () => {
    programs.exits["rpc_client-kernel"] = 1;
    await run(YAML);
    expect(tools.join(", ").match(/client, cpus all, cc bbr, card dpdk/g)).toHaveLength(4);
    tool("nproc", () => "8");
    const { results } = await run(YAML, { folder: "/other" });
    const kernel = results.filter(({ levels }) => levels.stack === "kernel");
    expect(kernel[0]?.problems).toEqual([expect.stringMatching(/^CPUs of vm2's kernel: 8, asked for [12]$/)]);
    expect([...congestion.values()]).toEqual(["bbr", "bbr"]);
  });
});

describe("a trial that fails", () => {
  it("is a result with its reason and its logs, and the run goes on", async () => {
    programs.exits.rpc_client = 3;
    const { results } = await run();
    expect(results.map(({ status }) => status)).toEqual(Array(4).fill("failed"));
    expect(results[0]?.problems[0]).toMatch(/^rpc_client on left ended with exit code 3/);
    expect(results[0]?.values).toEqual({});
    const log = await engine.host.files.readText(`${FOLDER}/logs/${results[0]?.trial}.log`);
    expect(log).toContain("rpc_client on left ended with exit code 3");
  });

  it("is one when the stack runs otherwise than asked", async () => {
    programs.lie = (said) => said.replace("distribution 1kb", "distribution direct");
    const { results } = await run();
    const failed = results.filter(({ status }) => status === "failed");
    expect(failed.map(({ levels }) => levels.distribution)).toEqual(["1kb", "1kb"]);
    expect(failed[0]?.problems).toEqual([
      "server: distribution: direct ran, asked for 1kb",
      "client: distribution: direct ran, asked for 1kb",
    ]);
  });

  it("is each one of a setup that does not come up", async () => {
    const start = new VnflabError("VNF_MACHINE_FAILED", "no such machine");
    engine.machines.faults.set("right", { start });
    const { results } = await run();
    expect(results.map(({ problems }) => problems[0])).toEqual(
      Array(4).fill("the lab does not come up: no such machine"),
    );
    expect(engine.machines.calls.filter((call) => call === "start right")).toHaveLength(2);
  });

  it("is the only one of a setup that comes up at its second start", async () => {
    const { machines } = engine;
    const start = machines.start.bind(machines);
    machines.start = async (spec) => {
      machines.start = start;
      throw new VnflabError("VNF_MACHINE_FAILED", `${spec.machine} hangs`);
    };
    const { results } = await run();
    expect(results.map(({ status }) => status)).toEqual(["failed", "measured", "measured", "measured"]);
    expect(results[0]?.problems[0]).toMatch(/^the lab does not come up: .* hangs$/);
  });

  it("that has brought a machine down costs itself alone", async () => {
    stopAfter(2, () => engine.machines.machines.set("right", "dead"));
    const { results } = await run();
    expect(results.filter(({ status }) => status === "measured").length).toBeGreaterThanOrEqual(3);
    expect(engine.machines.calls.filter((call) => call === "start right")).toHaveLength(2);
  });

  it("is run again when that is asked for", async () => {
    programs.exits.rpc_client = 3;
    await run();
    delete programs.exits.rpc_client;
    expect((await resume()).results.map(({ status }) => status)).toEqual(Array(4).fill("failed"));
    expect((await resume(true)).results.map(({ status }) => status)).toEqual(Array(4).fill("measured"));
    expect(await lines()).toHaveLength(8);
  });
});

describe("a run that ends before its time", () => {
  it("keeps what it has when it is interrupted, and is resumed with the rest", async () => {
    const interrupt = new AbortController();
    stopAfter(3, () => interrupt.abort(new VnflabError("VNF_INTERRUPTED", "stop")));
    await expect(run(SMALL, { signal: interrupt.signal })).rejects.toMatchObject({ code: "VNF_INTERRUPTED" });
    expect(await listLabs(engine.context)).toEqual([]);
    // The third one had its figures all the same.
    expect(await lines()).toHaveLength(3);
    expect(engine.events).toContainEqual({
      type: "note",
      text: `3 of 4 trials are in ${FOLDER}; \`vnflab experiment resume ${FOLDER}\` goes on`,
    });
    const { results, manifest } = await resume();
    expect(results.map(({ trial }) => trial)).toEqual(manifest.trials.map(({ id }) => id));
    expect(await lines()).toHaveLength(4);
  });

  /** At the end of this trial the process is gone: so much of its line is written, and nothing is done afterwards. */
  async function killAt(trial: number, part: (line: string) => string): Promise<void> {
    const { files } = engine.host;
    const { append } = files;
    const never = new Promise<void>(() => {});
    let seen = 0;
    await new Promise<void>((killed) => {
      files.append = async (path, text) => {
        const isLast = path.endsWith("results.jsonl") && ++seen === trial;
        await append.call(files, path, isLast ? part(text) : text);
        if (!isLast) return;
        killed();
        await never;
      };
      void run();
    });
    files.append = append;
    await files.write(`${FOLDER}/lock`, JSON.stringify({ pid: 99, startTicks: 5, purpose: "vnflab experiment run" }));
  }

  it.each([
    ["before its line", () => "", [0, 1, 2, 3]],
    ["in the middle of its line", (line: string) => line.slice(0, line.length / 2), [0, 1, 2, 3]],
    ["after its line", (line: string) => line, [1, 2, 3, 4]],
  ] as const)("killed at the end of a trial, %s, it is resumed: each trial once", async (_, part, left) => {
    for (const [index, kept] of left.entries()) {
      await engine.host.files.remove(FOLDER);
      programs.calls.length = 0;
      await killAt(index + 1, part);
      programs.calls.length = 0;
      const { results, manifest } = await resume();
      expect(clients()).toHaveLength(4 - kept);
      expect(results.map(({ trial }) => trial)).toEqual(manifest.trials.map(({ id }) => id));
      expect(results.map(({ status }) => status)).toEqual(Array(4).fill("measured"));
      expect((await lines()).map((line) => (JSON.parse(line) as { trial: string }).trial)).toEqual(
        manifest.trials.map(({ id }) => id),
      );
      expect(await readRun(engine.host.files, FOLDER)).toMatchObject({ results });
      expect(await listLabs(engine.context)).toEqual([]);
    }
  });

  it("is nobody else's while it is under way", async () => {
    await killAt(2, (line) => line);
    const living = { ...(await engine.host.exec.self()), purpose: "vnflab experiment run" };
    await engine.host.files.write(`${FOLDER}/lock`, JSON.stringify(living));
    await expect(resume()).rejects.toMatchObject({ code: "VNF_LAB_LOCKED" });
  });

  it("is refused when its folder holds something else", async () => {
    await engine.host.files.write(`${FOLDER}/notes.txt`, "mine");
    await expect(resume()).rejects.toMatchObject({ code: "VNF_RESULTS_INVALID" });
    expect(await engine.host.files.list(FOLDER)).toEqual(["notes.txt"]);
  });
});
