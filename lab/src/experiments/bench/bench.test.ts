import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../../engine/fake-engine.js";
import { Lab } from "../../engine/lab.js";
import { up } from "../../engine/up.js";
import type { FakeProcess } from "../../host/fake-host.js";
import { makeVmsPossible } from "../testing/fake-vms.js";
import { chooseDesigns, DESIGNS } from "./designs.js";
import { formatBench, isComplete, summarise } from "./results.js";
import { chooseRows } from "./rows.js";
import { type BenchOptions, runBench } from "./run-bench.js";

const signal = new AbortController().signal;
const TWO_VMS = "{left: {cpus: 2, memory: 512M}, right: {cpus: 4, queues: 1, memory: 512M}}";

let engine: FakeEngine;
/** What happened in the machines, in order: who has the cards, which programs ran. */
let calls: string[];
/** Machine -> who drives its card. */
let cards: Map<string, string>;
/** Program -> its exit code. */
let exits: Record<string, number>;

beforeEach(async () => {
  engine = await fakeEngine();
  calls = [];
  cards = new Map();
  exits = {};
  await makeVmsPossible(engine);
  installPrograms();
});

function installPrograms(): void {
  const { exec } = engine.host;
  exec.install("vnflab-card", ({ argv, env }) => {
    const machine = env.VNFLAB_MACHINE ?? "";
    cards.set(machine, argv.slice(1).join(" "));
    calls.push(`${machine} ${argv[1]}`);
    return exits["vnflab-card"] ?? 0;
  });
  const result = ({ print }: FakeProcess, fields: object) =>
    print("stdout", `${JSON.stringify({ event: "result", ...fields })}\n`);
  const ended = (process: FakeProcess) => new Promise((done) => process.signalled.addEventListener("abort", done));
  for (const kernel of [false, true]) {
    const name = (app: string) => (kernel ? `${app}-kernel` : app);
    const speed = kernel ? 10 : 30;
    exec.install(name("rpc_server"), async (process) => {
      process.print("stdout", '{"event":"listening"}\n');
      await ended(process);
      result(process, { requests: 1 });
      return 0;
    });
    exec.install(name("rpc_client"), (process) => {
      calls.push(`${process.env.VNFLAB_MACHINE} ${process.argv.join(" ")}`);
      result(process, { rps: speed });
      return exits[name("rpc_client")] ?? 0;
    });
    exec.install(name("udp_sink"), async (process) => {
      process.print("stdout", '{"event":"listening"}\n');
      await ended(process);
      result(process, { pps: speed });
      return 0;
    });
    exec.install(name("udp_source"), (process) => {
      result(process, { sent: 1 });
      return 0;
    });
  }
}

async function bench(options: Partial<BenchOptions> = {}, machines = TWO_VMS) {
  await engine.writeLab(machines);
  await up(engine.context, LAB_FILE, { signal });
  calls.length = 0;
  return runBench(await Lab.open(engine.context, "pair"), {
    ...{ rows: chooseRows(["rpc64"]), designs: DESIGNS, runs: 3, seconds: 2, connections: 10 },
    ...{ deadlineMs: 60_000, signal, folder: "/results" },
    ...options,
  });
}

describe("a bench", () => {
  it("measures each design against the kernel, a row each, and writes them down", async () => {
    const results = await bench({ rows: chooseRows(["rpc64", "udp64"]) });
    expect(results.rows.map(({ name, design, cores, workers }) => [name, design, cores, workers])).toEqual(
      ["rpc64", "udp64"].flatMap((row) => [
        [row, "direct", 1, 1],
        [row, "shared", 4, 4],
        [row, "1kb", 4, 3],
        [row, "2kb", 4, 2],
      ]),
    );
    for (const row of results.rows) {
      expect(row).toMatchObject({ ours: 30, kernel: 10, ratio: 3, spread: 0, runs: 3, problems: [] });
    }
    expect(isComplete(results)).toBe(true);
    expect(results.notes).toEqual(["oversubscribed/TCG: absolute figures not comparable"]);
    expect(JSON.parse((await engine.host.files.readText("/results/results.json")) ?? "")).toEqual(results);
    expect(formatBench(results)).toMatch(/^rpc64 +1kb +4 \(3 workers\) +30.0 +10.0 +req\/s +3.00 +0 % +3$/m);
  });

  it("gives the cards to the kernel for its runs alone, and alternates", async () => {
    await bench({ runs: 2, designs: chooseDesigns(["shared"]) });
    const ofClient = calls.filter((call) => call.startsWith("left ")).map((call) => call.replace(/ -a .*/, ""));
    const round = [
      "left kernel",
      "left /opt/vnflab/bin/rpc_client-kernel",
      "left dpdk",
      "left /opt/vnflab/bin/rpc_client",
    ];
    expect(ofClient).toEqual(["left dpdk", ...round, ...round]);
    expect(calls).toContain("right kernel");
    expect([...cards.values()]).toEqual(["dpdk", "dpdk"]);
  });

  it("configures each design in both machines, and what the lab says in the end", async () => {
    const putFile = engine.machines.putFile.bind(engine.machines);
    const confs: string[] = [];
    engine.machines.putFile = async (spec, path, content) => {
      if (spec.machine === "right") confs.push(new TextDecoder().decode(content as Uint8Array));
      return putFile(spec, path, content);
    };
    await bench({ runs: 1, designs: chooseDesigns(["2kb"]) });
    const designs = confs.map((conf) => /num_cores = .*\ndistribution = .*/.exec(conf)?.[0].replaceAll("\n", ", "));
    expect(designs.slice(1)).toEqual([
      "num_cores = 4, distribution = shared",
      "num_cores = 4, distribution = 2kb",
      "num_cores = 1, distribution = auto",
    ]);
  });

  it("a design that needs more CPUs than there are shares them, and says so", async () => {
    const { rows } = await bench({ designs: chooseDesigns(["1kb"]) }, "{left: {}, right: {}}");
    expect(rows).toMatchObject([{ cores: 2, workers: 1, sharesCpus: true }]);
  });

  it("has no kernel side where a machine is no virtual one", async () => {
    const results = await bench({ runs: 2 }, "{left: {kind: process}, right: {kind: process}}");
    expect(results.rows[0]).toMatchObject({ ours: 30, kernel: null, ratio: null, spread: 0, runs: 2 });
    expect(results.notes).toContain("no kernel side: left is no virtual machine: it has no kernel of its own");
    expect(calls.filter((call) => call.includes("kernel"))).toEqual([]);
    expect(isComplete(results)).toBe(true);
  });

  it("goes on after a run that fails, and tells it", async () => {
    exits["rpc_client-kernel"] = 1;
    const results = await bench({ designs: chooseDesigns(["shared"]) });
    expect(results.rows[0]).toMatchObject({ ours: null, kernel: null, ratio: null, spread: null, runs: 0 });
    expect(results.rows[0]?.problems[0]).toMatch(/^run 1, kernel: rpc_client-kernel on left ended with exit code 1/);
    expect(isComplete(results)).toBe(false);
    expect([...cards.values()]).toEqual(["dpdk", "dpdk"]);
  });

  it("gives the cards back when it is interrupted while the kernel has them", async () => {
    const interrupt = new AbortController();
    engine.host.exec.install("rpc_client-kernel", () => {
      interrupt.abort(new Error("stop"));
      return 0;
    });
    await expect(bench({ signal: interrupt.signal })).rejects.toThrow("stop");
    expect([...cards.values()]).toEqual(["dpdk", "dpdk"]);
    expect(engine.host.exec.running()).toEqual([]);
  });

  it("refuses a lab of one machine, and names that are none", async () => {
    await expect(bench({}, "{left: {kind: process}}")).rejects.toMatchObject({ code: "VNF_USAGE" });
    expect(() => chooseRows(["rpc6"])).toThrow('no row "rpc6" (did you mean "rpc64"?)');
    expect(() => chooseDesigns(["2k"])).toThrow('no design "2k" (did you mean "2kb"?)');
  });
});

describe("the figures", () => {
  it.each([
    [
      [
        [4, 2],
        [9, 3],
        [10, 1],
      ],
      { ours: 9, kernel: 2, ratio: 3, spread: 8 / 3, runs: 3 },
    ],
    [
      [
        [4, 2],
        [6, 2],
      ],
      { ours: 5, kernel: 2, ratio: 2.5, spread: 0.4, runs: 2 },
    ],
    [
      [
        [4, 2],
        [null, 3],
        [7, null],
      ],
      { ours: 4, kernel: 2, ratio: 2, spread: 0, runs: 1 },
    ],
    [[[null, 1]], { ours: null, kernel: null, ratio: null, spread: null, runs: 0 }],
  ])("of the pairs %j", (pairs, expected) => {
    const both = pairs.map(([ours = null, kernel = null]) => ({ ours, kernel }));
    const values = { ours: both.map(({ ours }) => ours), kernel: both.map(({ kernel }) => kernel) };
    expect(summarise(both, true)).toEqual({ ...expected, values });
  });
});
