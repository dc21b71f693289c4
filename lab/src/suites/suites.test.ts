import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../engine/fake-engine.js";
import { Lab } from "../engine/lab.js";
import { up } from "../engine/up.js";
import type { FakeProcess } from "../host/fake-host.js";
import { QUICK } from "./case.js";
import { formatReport, isSuccess } from "./report.js";
import { runSuites, type SuiteOptions } from "./run-suites.js";

const signal = new AbortController().signal;

let engine: FakeEngine;
/** What the fake applications do wrong: name of the application -> fields of its result. */
let faults: Record<string, Record<string, unknown>>;

/** Of the machines' clocks. */
let clockRate: number;

beforeEach(async () => {
  engine = await fakeEngine();
  faults = {};
  clockRate = 1;
  installApplications();
});

async function run(options: Partial<SuiteOptions> = {}) {
  await up(engine.context, LAB_FILE, { signal });
  const lab = await Lab.open(engine.context, "pair");
  return runSuites(lab, { amounts: QUICK, deadlineMs: 60_000, signal, ...options });
}

/** Programs that speak as the real applications do, and believe each other. */
function installApplications(): void {
  const option = (argv: readonly string[], name: string) => argv[argv.indexOf(name) + 1] ?? "";
  const listening = new Map<string, (message: Record<string, unknown>) => void>();
  const result = ({ print }: FakeProcess, app: string, fields: object) =>
    print("stdout", `${JSON.stringify({ event: "result", app, ...fields, ...faults[app] })}\n`);
  const serve = (app: string, answer: (message: Record<string, unknown>) => object) => async (process: FakeProcess) => {
    const port = option(process.argv, "-l");
    const arrived = new Promise<Record<string, unknown>>((resolve) => listening.set(port, resolve));
    process.print("stdout", `${JSON.stringify({ event: "listening", app, port: Number(port) })}\n`);
    const stopped = new Promise<Record<string, unknown>>((resolve) =>
      process.signalled.addEventListener("abort", () => resolve({})),
    );
    result(process, app, answer(await Promise.race([arrived, stopped])));
    listening.delete(port);
    return 0;
  };
  const tcp = (app: string) => async (process: FakeProcess) => {
    const { argv } = process;
    const connections = Number(option(argv, app === "tcp_source" ? "-c" : "-n"));
    const bytes = Number(option(argv, "-b")) * connections;
    const stream = (sent: Record<string, unknown>) => {
      const total = sent.bytes || bytes;
      const hashes = Array.from({ length: connections }, (_, i) => `${total}-${i}`);
      return { connections, bytes: total, sha256: hashes, verified: true, errors: 0, gbps: 1 };
    };
    if (argv.includes("-l")) return serve(app, stream)(process);
    const peer = listening.get(option(argv, "-p"));
    if (!peer) {
      process.print("stderr", "connection refused\n");
      result(process, app, { bytes: 0, errors: 1 });
      return 1;
    }
    // The accepting side sends when the opener is the sink: it knows how much.
    const size = bytes || QUICK.bytes / 4;
    peer({ bytes: size });
    result(process, app, stream({ bytes: size }));
    return 0;
  };
  const { exec } = engine.host;
  exec.install("tcp_sink", tcp("tcp_sink"));
  exec.install("tcp_source", tcp("tcp_source"));
  exec.install("mkdir", () => 0);
  exec.install("cat", ({ print }) => {
    print("stdout", `${(engine.host.clock.now() / 1000) * clockRate} 0.00\n`);
    return 0;
  });
  exec.install(
    "epserver",
    serve("epserver", () => ({ requests: 1 })),
  );
  exec.install("epwget", (process) => {
    const requests = Number(process.argv[2]);
    result(process, "epwget", { completed: requests, errors: 0, timeouts: 0, bytes: requests * 1100, rps: 9 });
    return 0;
  });
  exec.install(
    "udp_sink",
    serve("udp_sink", ({ sent }) => ({ received: sent, corrupt: 0, duplicates: 0, lost: 0 })),
  );
  exec.install("rpc_client", (process) => {
    const connections = Number(option(process.argv, "-c"));
    listening.get(option(process.argv, "-p"))?.({ connections });
    result(process, "rpc_client", { requests: 9000, errors: 0, rps: 4500 });
    return 0;
  });
  exec.install(
    "rpc_server",
    serve("rpc_server", ({ connections }) => ({ connections, errors: 0, workers: [{ connections }] })),
  );
  exec.install("mtcpstat", ({ print, env }) => {
    const { runDir } = engine.context.layout.lab("pair");
    const told = { distribution: "auto", workers: 1, dedicated: 0, queues: 1, ...faults.mtcpstat };
    const accepted = (faults.rpc_server?.workers as { connections: number }[] | undefined) ?? [{ connections: 1000 }];
    const threads = accepted.map(({ connections }, index) => ({
      ...{ kind: "worker", index, drops: 0 },
      counters: { "tcp.opened_passive": connections, "worker.rx_frames": 9000, ...(faults.counters ?? {}) },
    }));
    const of = (machine: string) => `vdev:net_virtio_user0,path=${runDir}/${machine}.sock,queues=1`;
    print("stdout", `${JSON.stringify({ event: "stack", port: of("other"), threads: [] })}\n`);
    print("stdout", `${JSON.stringify({ event: "stack", port: of(env.VNFLAB_MACHINE ?? ""), ...told, threads })}\n`);
    return 0;
  });
  exec.install("udp_source", (process) => {
    const sent = Number(option(process.argv, "-n"));
    listening.get(option(process.argv, "-p"))?.({ sent });
    result(process, "udp_source", { sent, echoed: sent, rtt_us: { min: 1, p50: 2, p99: 3, max: 4 }, pps: 5 });
    return 0;
  });
}

describe("the suites", () => {
  it("pass over a network that works, both ways, and leave a report", async () => {
    const report = await run();
    expect(report.cases.filter(({ status }) => status !== "passed")).toEqual([]);
    expect(report).toMatchObject({ passed: 22, failed: 0, skipped: 0 });
    expect(isSuccess(report)).toBe(true);
    expect(JSON.parse((await engine.host.files.readText(`${report.folder}/report.json`)) ?? "")).toEqual(report);
    const text = formatReport(report);
    expect(text).toContain("22 passed, 0 failed, 0 skipped\n");
    expect(text).toMatch(
      /^tcp.bulk +left +right +passed +4194304 bytes +4194304 bytes +sha256 4194304- equal +1.000 G/m,
    );
  });

  it.each([
    ["tcp.bulk", "tcp_sink", { sha256: ["0"] }, "SHA-256 of what arrived: 0, expected 4194304-0"],
    ["tcp.bulk-reverse", "tcp_sink", { verified: false }, "verified: false, expected true"],
    ["tcp.connections", "tcp_sink", { bytes: 3 }, "bytes received: 3, expected 1048576"],
    ["tcp.http", "epwget", { timeouts: 2 }, "timeouts: 2, expected 0"],
    [
      "udp.paced",
      "udp_sink",
      { received: 980 },
      "datagrams arrived or dropped by the switch: 980, expected 990 or more",
    ],
    ["udp.paced", "udp_sink", { received: 499 }, "datagrams arrived: 499, expected 500 or more; datagrams arrived or"],
    ["udp.flood", "udp_sink", { corrupt: 1 }, "corrupt datagrams: 1, expected 0"],
    ["steer.spread", "rpc_client", { errors: 1 }, "errors of the client: 1, expected 0"],
    ["steer.spread", "rpc_server", { workers: [] }, "workers: 0, expected 1"],
    ["steer.spread", "counters", { "tcp.drop_no_connection": 2 }, "tcp.drop_no_connection of worker 0: 2, expected 0"],
    ["steer.spread", "counters", { "tcp.opened_passive": 9 }, "accepted by the workers: 9, expected 1000"],
    ["steer.spread", "mtcpstat", { workers: 2 }, "workers of the stack: 2, expected 1"],
    ["udp.echo", "udp_source", { echoed: undefined }, "datagrams arrived: NaN, expected 500 or more; "],
  ])("%s fails when %s reports %j, with artefacts", async (id, app, fault, message) => {
    faults[app] = fault;
    const report = await run({ only: [id], folder: "/results" });
    expect(report).toMatchObject({ passed: 0, failed: 2 });
    expect(report.cases[0]).toMatchObject({ status: "failed", message: expect.stringContaining(message) });
    expect(report.cases[0]?.artefacts).toContain(`/results/${id}-left-right/switch.log`);
    expect(isSuccess(report)).toBe(false);
  });

  it("keeps the capture of a failing case, and the machine's configuration after it", async () => {
    faults.epwget = { errors: 1 };
    const captured = new TextEncoder().encode("pcap");
    const { machines } = engine;
    const putFile = machines.putFile.bind(machines);
    const confs: string[] = [];
    machines.putFile = async (spec, path, content) => {
      const text = new TextDecoder().decode(content as Uint8Array);
      if (path.endsWith("stack.conf")) confs.push(text);
      if (text.includes("pcap = ")) await putFile(spec, `${spec.workDir}/${spec.machine}.pcap`, captured);
      return putFile(spec, path, content);
    };
    const report = await run({ only: ["tcp.http"], folder: "/results" });
    expect(report.cases[0]?.artefacts).toContain("/results/tcp.http-left-right/left.pcap");
    expect(confs.at(-1)).not.toContain("pcap");
  });

  it("datagrams that the switch dropped for a slow machine are accounted for", async () => {
    const observe = engine.sw.observe.bind(engine.sw);
    let looks = 0;
    engine.sw.observe = async (spec) => {
      const state = await observe(spec);
      looks++;
      return { ...state, ports: state.ports.map((port) => ({ ...port, dropped: looks * 100 })) };
    };
    faults.udp_sink = { received: 900 };
    const { cases } = await run({ only: ["udp.paced"] });
    expect(cases[0]).toMatchObject({ status: "passed", figures: { datagrams_received: 900, dropped_by_switch: 200 } });
  });

  it.each([2.5, 0.9])("a machine whose clock runs at %d of the right rate fails", async (rate) => {
    clockRate = rate;
    const { cases } = await run({ only: ["machine"] });
    expect(cases[0]).toMatchObject({ status: "failed", message: expect.stringContaining(`clock runs at ${rate}`) });
  });

  it("a refusal that does not come is a failure", async () => {
    engine.host.exec.install("tcp_source", async ({ signalled }) => {
      await new Promise((resolve) => signalled.addEventListener("abort", resolve));
      return 143;
    });
    const report = await run({ only: ["tcp.refused"] });
    expect(report.cases[0]?.message).toBe("tcp_source on left has not ended after 30 s");
    expect(engine.host.exec.running()).toEqual([]);
  });

  it.each([
    ["shared", [275, 225, 250, 250], []],
    ["shared", [276, 224, 250, 250], ["worker 0: 276, expected 250 within 10 %", "worker 1: 224"]],
    ["1kb", [300, 333, 367], ["worker 2: 367, expected 333 within 10 %"]],
    ["2kb", [450, 550], []],
  ])("connections over workers, %s: %j", async (distribution, connections, problems) => {
    faults.rpc_server = { connections: 1000, workers: connections.map((count) => ({ connections: count })) };
    const dedicated = { shared: 0, "1kb": 1, "2kb": 2 }[distribution];
    faults.mtcpstat = { distribution, workers: connections.length, dedicated };
    await engine.writeLab(
      `{left: {kind: process}, right: {kind: process, stack: {workers: ${connections.length}, distribution: ${distribution}}}}`,
    );
    const { cases } = await run({ only: ["steer"] });
    expect(cases[0]).toMatchObject({ to: "right", status: problems.length === 0 ? "passed" : "failed" });
    for (const problem of problems) expect(cases[0]?.message).toContain(problem);
    expect(cases[0]?.figures.shares).toBe(connections.join(" "));
  });

  it("skips, saying why, when there is only one machine", async () => {
    await engine.writeLab("{left: {kind: process}}");
    const report = await run({ only: ["udp"] });
    expect(report).toMatchObject({ passed: 0, failed: 0, skipped: 3 });
    expect(report.cases[0]?.message).toBe("the lab has only one machine");
    expect(isSuccess(report)).toBe(false);
  });

  it("refuses an unknown case, and ends when interrupted", async () => {
    await expect(run({ only: ["tcp.bulc"] })).rejects.toMatchObject({
      code: "VNF_USAGE",
      message: 'no suite or case "tcp.bulc" (did you mean "tcp.bulk"?)',
    });
    await expect(run({ signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
  });
});
