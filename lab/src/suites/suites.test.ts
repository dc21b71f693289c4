import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../engine/fake-engine.js";
import { Lab } from "../engine/lab.js";
import { up } from "../engine/up.js";
import type { FakeProcess } from "../host/fake-host.js";
import { QUICK } from "./case.js";
import { chooseCases } from "./choose-cases.js";
import { formatJunit } from "./junit.js";
import { formatReport, isSuccess, type SuiteReport } from "./report.js";
import { runSuites, type SuiteOptions } from "./run-suites.js";
import { formatTap } from "./tap.js";

const signal = new AbortController().signal;

let engine: FakeEngine;
/** What the fake applications do wrong: name of the application -> fields of its result. */
let faults: Record<string, Record<string, unknown>>;

/** Of the machines' clocks. */
let clockRate: number;

beforeEach(async () => {
  engine = await fakeEngine();
  countLosses();
  faults = {};
  clockRate = 1;
  installApplications();
});

async function run(options: Partial<SuiteOptions> = {}) {
  await up(engine.context, LAB_FILE, { signal });
  const lab = await Lab.open(engine.context, "pair");
  return runSuites(lab, { amounts: QUICK, deadlineMs: 60_000, signal, ...options });
}

/** The fake switch loses what it was told to, of ten thousand frames. */
function countLosses(): void {
  const { sw } = engine;
  const ask = sw.linkState.bind(sw);
  let lost = 0;
  sw.linkState = async (spec, link) => {
    const state = await ask(spec, link);
    lost += (state.impair?.loss ?? 0) * 10_000;
    return { ...state, ports: state.ports.map((port, index) => (index === 0 ? { ...port, lost } : port)) };
  };
}

/** Programs that speak as the real applications do, and believe each other. */
function installApplications(): void {
  const option = (argv: readonly string[], name: string) =>
    (argv.includes(name) ? argv[argv.indexOf(name) + 1] : "") ?? "";
  /** Of whichever stack has begun last. */
  let counters: Record<string, number> = {};
  let begun = () => {};
  const listening = new Map<string, (message: Record<string, unknown>) => void>();
  const result = ({ print }: FakeProcess, app: string, fields: object) =>
    print("stdout", `${JSON.stringify({ event: "result", app, ...fields, ...faults[app] })}\n`);
  const serve = (app: string, answer: (message: Record<string, unknown>) => object) => async (process: FakeProcess) => {
    const port = option(process.argv, "-l") || "80";
    counters = {};
    begun();
    const arrived = new Promise<Record<string, unknown>>((resolve) => listening.set(port, resolve));
    process.print("stdout", `${JSON.stringify({ event: "listening", app, port: Number(port) })}\n`);
    const stopped = new Promise<Record<string, unknown>>((resolve) =>
      process.signalled.addEventListener("abort", () => resolve({})),
    );
    // One that is to count its connections ends by itself; any other when it is stopped.
    const message = await Promise.race([arrived, stopped]);
    const endsItself = app === "tcp_source" || option(process.argv, "-n") || option(process.argv, "-t");
    if (!endsItself && !process.signalled.aborted) await stopped;
    if (process.signalled.reason === "SIGKILL") return 137;
    result(process, app, answer(message));
    listening.delete(port);
    return 0;
  };
  const tcp = (app: string) => async (process: FakeProcess) => {
    const { argv } = process;
    const connections = Number(option(argv, app === "tcp_source" ? "-c" : "-n") || 1);
    const bytes = Number(option(argv, "-b")) * connections;
    const stream = (sent: Record<string, unknown>) => {
      const total = sent.bytes || bytes;
      const count = Number(sent.connections ?? connections);
      const hashes = Array.from({ length: count }, (_, i) => `${total}-${i}`);
      return { connections: count, bytes: total, sha256: hashes, verified: true, errors: 0, gbps: 1 };
    };
    if (argv.includes("-l")) return serve(app, stream)(process);
    if (!/169.254.9.[12]$/.test(option(argv, "-a"))) {
      process.print("stderr", "connect: No route to host\n");
      return 1;
    }
    const peer = listening.get(option(argv, "-p"));
    if (argv.includes("-t")) {
      counters = { "tcp.tx_bytes": 1 };
      await new Promise<void>((resolve) => {
        begun = resolve;
      });
      counters = { "tcp.tx_resets": 1, "tcp.opened_passive": 0, ...(faults.counters ?? {}) };
      process.print("stderr", "read: Connection reset by peer\n");
      return 1;
    }
    if (!peer) {
      process.print("stderr", "connection refused\n");
      result(process, app, { bytes: 0, errors: 1 });
      return 1;
    }
    // The accepting side sends when the opener is the sink: it knows how much.
    const size = bytes || QUICK.bytes / 4;
    peer({ bytes: size, ...(app === "tcp_source" ? { connections } : {}) });
    counters = { "tcp.opened_passive": connections, "tcp.closed_clean": connections };
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
    serve("epserver", ({ requests }) => ({ requests })),
  );
  exec.install("epwget", (process) => {
    const requests = Number(process.argv[2]);
    listening.get("80")?.({ requests });
    result(process, "epwget", { completed: requests, errors: 0, timeouts: 0, bytes: requests * 1100, rps: 9 });
    return 0;
  });
  exec.install(
    "udp_sink",
    serve("udp_sink", ({ sent = 0, size = 0 }) => {
      const { loss = 0 } = engine.sw.impairs.get("lan") ?? {};
      const received = Number(faults.udp_sink?.received ?? Math.round(Number(sent) * (1 - loss)));
      return { received, bytes: received * Number(size), corrupt: 0, duplicates: 0, lost: 0 };
    }),
  );
  exec.install("rpc_client", (process) => {
    const connections = Number(option(process.argv, "-c"));
    listening.get(option(process.argv, "-p"))?.({ connections });
    counters = {};
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
      counters: {
        "tcp.opened_passive": connections,
        "worker.rx_frames": 9000,
        ...counters,
        ...(faults.counters ?? {}),
      },
    }));
    const of = (machine: string) => `vdev:net_virtio_user0,path=${runDir}/${machine}.sock,queues=1`;
    print("stdout", `${JSON.stringify({ event: "stack", port: of("other"), threads: [] })}\n`);
    print("stdout", `${JSON.stringify({ event: "stack", port: of(env.VNFLAB_MACHINE ?? ""), ...told, threads })}\n`);
    return 0;
  });
  exec.install("udp_source", (process) => {
    const sent = Number(option(process.argv, "-n"));
    const size = Number(option(process.argv, "-s") || 1400);
    if (size > 1472) {
      process.print("stderr", "sendto: Message too long\n");
      result(process, "udp_source", { sent: 0 });
      return 1;
    }
    listening.get(option(process.argv, "-p"))?.({ sent, size });
    const min = 1 + 2 * (engine.sw.impairs.get("lan")?.delayUs ?? 0);
    result(process, "udp_source", {
      sent,
      echoed: sent,
      rtt_us: { min, p50: min + 1, p99: min + 2, max: min + 3 },
      pps: 5,
    });
    return 0;
  });
}

describe("the suites", () => {
  it("pass over a network that works, both ways, and leave a report", async () => {
    const report = await run();
    const others = report.cases.filter(({ status }) => status !== "passed");
    expect(others.map(({ id, status, message }) => `${id} ${status}: ${message}`)).toEqual(
      others.map(({ id, to }) => `${id} skipped: ${to} is no virtual machine: it has no kernel of its own`),
    );
    expect(new Set(others.map(({ id }) => id.split(".")[0]))).toEqual(new Set(["kernel"]));
    expect(report).toMatchObject({ failed: 0, blocked: 0, seed: 1, rounds: 1 });
    expect(isSuccess(report)).toBe(true);
    expect(JSON.parse((await engine.host.files.readText(`${report.folder}/report.json`)) ?? "")).toEqual(report);
    const text = formatReport(report);
    expect(text).toContain(`${report.passed} passed, 0 failed, ${others.length} skipped, 0 blocked; seed 1\n`);
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
    ["udp.sizes", "udp_sink", { bytes: 1 }, "bytes received: 1, expected "],
    ["mtu.largest", "udp_sink", { received: 100 }, "datagrams received: 100, expected 190 or more"],
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
    faults.udp_sink = { received: 900, bytes: 900 * 1400 };
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
    expect(report).toMatchObject({ passed: 0, failed: 0, skipped: 4 });
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

  it.each([
    ["tcp.handshake", "counters", { "tcp.opened_passive": 63 }, "handshakes counted by the stack: 63, expected 64"],
    ["tcp.half-close", "counters", { "tcp.tx_resets": 1 }, "resets: 1, expected 0"],
    ["tcp.half-close", "tcp_sink", { verified: false }, "verified: false, expected true"],
    ["tcp.many-flows", "tcp_sink", { verified: false }, "verified: false, expected true"],
    ["impair.tcp-loss", "tcp_sink", { verified: false }, "verified: false, expected true"],
    ["impair.udp-loss", "udp_sink", { received: 9000 }, "share of datagrams lost: 0.1000, expected 0.05 within 0.01"],
    ["impair.delay", "udp_source", { rtt_us: { min: 9 } }, "added to the round trip: 0 us, expected 20000 us"],
    ["tcp.churn", "epserver", { requests: 1999 }, "requests served: 1999, expected 2000"],
    ["tcp.reset", "counters", { "tcp.tx_resets": 0 }, "resets sent by the new stack: 0, expected 1 or more"],
  ])("%s, for one pair alone, fails when %s reports %j", async (id, app, fault, message) => {
    faults[app] = fault;
    const report = await run({ only: [id], folder: "/results" });
    expect(report).toMatchObject({ failed: 1, passed: 0 });
    expect(report.cases[0]?.message).toContain(message);
  });

  it("blocks what cannot be judged: a switch that is gone, a machine that is paused, a link that failed", async () => {
    await run({ only: ["tcp.link"] });
    engine.sw.status = "dead";
    const lab = await Lab.open(engine.context, "pair");
    const again = (only: string[]) => runSuites(lab, { amounts: QUICK, deadlineMs: 60_000, signal, only });
    const gone = await again(["udp.echo"]);
    expect(gone).toMatchObject({ passed: 0, failed: 0, blocked: 2 });
    expect(gone.cases[0]?.message).toBe("the switch is gone: fake switch, dead");
    expect(isSuccess(gone)).toBe(false);
    engine.sw.status = "running";
    await lab.machine("right").pause();
    expect((await again(["udp.echo"])).cases[0]?.message).toBe("right is paused");
    await lab.machine("right").resume();
    engine.sw.linkUp = false;
    const down = await again(["tcp.link", "udp.echo"]);
    expect(down).toMatchObject({ failed: 2, blocked: 2 });
    expect(down.cases[0]?.message).toContain('the rung "link" was not reached');
    expect(down.cases[2]?.message).toBe("tcp.link has failed");
  });

  it("fails a case that hangs with what it waited for, and goes on to the next", async () => {
    const { exec } = engine.host;
    exec.install("cat", () => new Promise(() => {}));
    const observe = engine.sw.observe.bind(engine.sw);
    exec.install("udp_sink", ({ print }) => {
      print("stdout", '{"event":"listening"}\n');
      engine.sw.observe = () => new Promise(() => {});
      return new Promise(() => {});
    });
    const report = await run({ only: ["machine", "udp.flood", "tcp.bulk"], deadlineMs: 5000 });
    engine.sw.observe = observe;
    const told = report.cases.map(({ id, status, message }) => `${id} ${status}: ${message}`);
    expect(told.filter((line) => line.startsWith("machine"))).toEqual([
      "machine.clock failed: no answer after 5 s: end of left: cat /proc/uptime",
      "machine.clock failed: no answer after 5 s: end of right: cat /proc/uptime",
    ]);
    expect(told.find((line) => line.startsWith("udp"))).toContain("no answer after 5 s: observe of the switch");
    expect(report.cases).toHaveLength(6);
  });

  it("repeats, until a case fails, and calls whoever wants to look at the failure", async () => {
    let served = 0;
    const echo = engine.host.exec;
    echo.install("cat", ({ print }) => {
      served += 1;
      print("stdout", `${served > 10 ? 0 : engine.host.clock.now() / 1000} 0.00\n`);
      return 0;
    });
    const seen: string[] = [];
    const onFailure = async ({ id, round }: { id: string; round: number }) => void seen.push(`${id} ${round}`);
    const report = await run({ only: ["machine"], rounds: 5, untilFail: true, onFailure });
    expect(report).toMatchObject({ passed: 5, failed: 1, rounds: 3 });
    expect(seen).toEqual(["machine.clock 3"]);
    served = 0;
    expect(await run({ only: ["machine"], rounds: 2 })).toMatchObject({ passed: 4, failed: 0, rounds: 2 });
  });

  it("leaves a link as it was after it was impaired, also when the case fails", async () => {
    faults.tcp_sink = { verified: false };
    await run({ only: ["impair.tcp-loss"] });
    expect(engine.sw.impairs.get("lan")).toBeUndefined();
    expect(engine.sw.impairs.has("lan")).toBe(true);
  });

  it("leaves to chance only what the seed decides", async () => {
    const sizes = async (seed: number) => {
      const { cases } = await run({ only: ["udp.sizes"], seed, rounds: 2 });
      return cases.map(({ figures }) => figures.size);
    };
    const first = await sizes(7);
    expect(await sizes(7)).toEqual(first);
    expect(await sizes(8)).not.toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(1);
  });

  it("restarts the switch and goes on, when failover is asked for", async () => {
    expect(chooseCases(undefined).some(({ id }) => id.startsWith("failover"))).toBe(false);
    let pid = 100;
    const observe = engine.sw.observe.bind(engine.sw);
    engine.sw.observe = async (spec) => ({ ...(await observe(spec)), pid });
    const start = engine.sw.start.bind(engine.sw);
    engine.sw.start = async (spec) => {
      pid += 1;
      await start(spec);
    };
    const report = await run({ only: ["failover"] });
    expect(report.cases.map(({ id, status }) => `${id} ${status}`)).toEqual([
      ...["failover.switch passed", "failover.reset skipped", "failover.reset skipped"],
    ]);
    expect(engine.machines.calls.slice(-2)).toEqual(["start switch", "connect ports"]);
    engine.sw.start = start;
    expect((await run({ only: ["failover.switch"] })).cases[0]?.message).toContain("the same process as before");
  });
});

describe("reports for others", () => {
  const report: SuiteReport = {
    ...{ schemaVersion: 1, lab: "l", startedAt: "2026-01-01T00:00:00.000Z", oversubscribed: false, seed: 3, rounds: 2 },
    ...{ folder: "/r", passed: 1, failed: 1, skipped: 1, blocked: 1 },
    cases: (["passed", "failed", "skipped", "blocked"] as const).map((status, index) => ({
      ...{ id: `tcp.${status}`, title: "t", from: "a", to: "b", round: index === 0 ? 2 : 1, status, seconds: 1.5 },
      ...{ figures: { n: 1 }, artefacts: status === "failed" ? ["/r/x.pcap"] : [] },
      ...(status === "passed" ? {} : { message: 'why # "<\x01>"\nnot' }),
    })),
  };

  it("TAP", () => {
    expect(formatTap(report)).toMatchInlineSnapshot(`
      "TAP version 14
      # lab l, seed 3
      1..4
      ok 1 - tcp.passed a -> b (round 2)
        ---
        status: "passed"
        duration_ms: 1500
        figures: {"n":1}
        artefacts: []
        ...
      not ok 2 - tcp.failed a -> b
        ---
        status: "failed"
        duration_ms: 1500
        message: "why # \\"<\\u0001>\\"\\nnot"
        figures: {"n":1}
        artefacts: ["/r/x.pcap"]
        ...
      ok 3 - tcp.skipped a -> b # SKIP why \\# "< >" not
        ---
        status: "skipped"
        duration_ms: 1500
        message: "why # \\"<\\u0001>\\"\\nnot"
        figures: {"n":1}
        artefacts: []
        ...
      not ok 4 - tcp.blocked a -> b (blocked: why \\# "< >" not)
        ---
        status: "blocked"
        duration_ms: 1500
        message: "why # \\"<\\u0001>\\"\\nnot"
        figures: {"n":1}
        artefacts: []
        ...
      "
    `);
  });

  it("JUnit", () => {
    expect(formatJunit(report)).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <testsuites><testsuite name="l.tcp" timestamp="2026-01-01T00:00:00.000Z" tests="4" failures="1" errors="1" skipped="1" time="6.000"><properties><property name="seed" value="3"/></properties><testcase classname="tcp" name="tcp.passed a -&gt; b (round 2)" time="1.500"/><testcase classname="tcp" name="tcp.failed a -&gt; b" time="1.500"><failure message="why # &quot;&lt;?&gt;&quot;&#10;not"/><system-out>/r/x.pcap</system-out></testcase><testcase classname="tcp" name="tcp.skipped a -&gt; b" time="1.500"><skipped message="why # &quot;&lt;?&gt;&quot;&#10;not"/></testcase><testcase classname="tcp" name="tcp.blocked a -&gt; b" time="1.500"><error message="blocked: why # &quot;&lt;?&gt;&quot;&#10;not"/></testcase></testsuite></testsuites>
      "
    `);
  });
});
