/** libmtcp against the Linux kernel: each application talks to the kernel's own TCP, UDP and ICMP over a tap. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KERNEL, KERNEL_TWO_QUEUES, STACK, STACK_TWO_QUEUES, TapWorld, tapObstacle } from "../../support/tap-world.js";

const reason = tapObstacle();
/** 1 GiB each way, less where time is short. */
const BULK_BYTES = Number(process.env.VNFLAB_BULK_BYTES ?? 2 ** 30);

function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

describe.skipIf(reason)(`the Linux kernel over tap${reason ? ` (${reason})` : ""}`, () => {
  let world: TapWorld;
  const files = new Map([0, 1, 64, 1460, 1461, 1_000_000].map((size) => [`${size}.bin`, randomBytes(size)]));
  const page = "64.bin";

  beforeAll(async () => {
    world = await TapWorld.open();
    for (const [name, content] of files) writeFileSync(join(world.www, name), content);
    writeFileSync(join(world.www, "index.html"), "hello\n");
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  const server = () => world.app("epserver", "-p", world.www).ready();

  it("answers ping, with payloads up to the MTU", async () => {
    await using _ = await server();
    for (const size of ["56", "1472"]) {
      const ping = await world.kernel("ping", "-c", "20", "-i", "0.02", "-q", "-s", size, STACK);
      expect(ping.stdout).toContain(" 0% packet loss");
    }
  });

  it("serves files of every size to curl, byte by byte", async () => {
    await using _ = await server();
    for (const [name, content] of files) {
      const out = join(world.folder, "out");
      const { exitCode } = await world.kernel("curl", "-sf", "-m", "20", "-o", out, `http://${STACK}/${name}`);
      expect([name, exitCode, sha256(readFileSync(out))]).toEqual([name, 0, sha256(content)]);
    }
    const missing = await world.kernel("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", `http://${STACK}/none`);
    expect(missing.stdout).toBe("404");
  });

  it("serves 10,000 sequential requests, and as many connections, without an error", async () => {
    const running = await server();
    const urls = world.file("urls", `url = http://${STACK}/${page}\noutput = /dev/null\n`.repeat(10_000));
    for (const connection of ["keep-alive", "close"]) {
      const header = ["-H", `Connection: ${connection}`];
      const curl = await world.kernel("curl", "-s", "--fail-early", "-f", ...header, "-K", urls);
      expect([connection, curl.exitCode, curl.stderr]).toEqual([connection, 0, ""]);
    }
    const { exitCode, report } = await running.stop();
    expect([exitCode, report]).toMatchObject([0, { requests: 20_000, connections: 10_001, errors: 0 }]);
  });

  it.each([
    ["keep-alive", page, "32"],
    ["close", page, "32"],
    ["keep-alive", "1000000.bin", "8"],
  ])("serves wrk without an error: connection %s, %s, %s at once", async (connection, name, connections) => {
    await using _ = await server();
    const header = ["-H", `Connection: ${connection}`];
    const wrk = await world.kernel(
      "wrk",
      "-t1",
      "-c",
      connections,
      "-d4s",
      "--timeout",
      "10s",
      ...header,
      `http://${STACK}/${name}`,
    );
    expect(wrk.stdout).not.toMatch(/Socket errors|Non-2xx/);
    expect(Number(/(\d+) requests in/.exec(wrk.stdout)?.[1]), wrk.stdout).toBeGreaterThan(0);
  });

  it("epwget fetches from nginx: the right bytes, and many flows", async () => {
    await using _ = await world.nginx();
    for (const [name, content] of files) {
      const out = join(world.folder, "fetched");
      const one = await world.app("epwget", `${KERNEL}/${name}`, "1", "-o", out).finished();
      expect([name, one.exitCode, sha256(readFileSync(out))], one.stderr).toEqual([name, 0, sha256(content)]);
    }
    const many = await world.app("epwget", `${KERNEL}/${page}`, "5000", "-c", "64").finished();
    expect(many.report, many.stderr).toMatchObject({ completed: 5000, errors: 0, timeouts: 0 });
    const kept = await world.app("epwget", `${KERNEL}/${page}`, "20", "-c", "20", "-k", "200").finished();
    expect(kept.report, kept.stderr).toMatchObject({ completed: 4000, errors: 0 });
  });

  it("serves and fetches with two workers, each on a queue of its own", async () => {
    const running = await world.appOnTwoCores("epserver", "-p", world.www).ready();
    const wrk = await world.kernel(
      "wrk",
      "-t1",
      "-c32",
      "-d4s",
      "--timeout",
      "10s",
      `http://${STACK_TWO_QUEUES}/${page}`,
    );
    expect(wrk.stdout).not.toMatch(/Socket errors|Non-2xx/);
    const served = await running.stop();
    expect(served.report, served.stderr).toMatchObject({ errors: 0 });
    for (const core of [0, 1]) expect(served.stderr).toMatch(new RegExp(`CPU  ${core}\\].* completes: +[1-9]`));

    await using _ = await world.nginx();
    const argv = [`${KERNEL_TWO_QUEUES}/${page}`, "4000", "-c", "64"];
    const fetched = await world.appOnTwoCores("epwget", ...argv).finished();
    expect(fetched.report, fetched.stderr).toMatchObject({ completed: 4000, errors: 0 });
  });

  it("receives a bulk stream from the kernel intact", async () => {
    const sink = await world.app("tcp_sink", "-l", "9999", "-n", "1", "-s", "any").ready();
    const sent = await world.peer("send", STACK, "9999", String(BULK_BYTES)).finished();
    const { exitCode, report, stderr } = await sink.finished();
    expect([exitCode, report], stderr).toMatchObject([0, { bytes: BULK_BYTES, sha256: [sent.report.sha256] }]);
  });

  it("sends a bulk stream to the kernel intact", async () => {
    const peer = await world.peer("receive", "9998").ready();
    const source = await world.app("tcp_source", "-a", KERNEL, "-p", "9998", "-b", String(BULK_BYTES)).finished();
    const received = (await peer.finished()).report;
    expect(received).toMatchObject({ bytes: BULK_BYTES });
    expect([source.exitCode, source.report], source.stderr).toMatchObject([0, { sha256: [received.sha256] }]);
  });

  it("echoes datagrams of every size to the kernel, and the kernel to it", async () => {
    await using _ = await world.app("udp_sink", "-l", "9999", "--echo").ready();
    const ping = await world.peer("udp-ping", STACK, "9999", "1000").finished();
    expect(ping.report).toMatchObject({ sent: 1000, equal: 1000 });
  });

  it("gets its datagrams echoed by the kernel", async () => {
    await using _ = await world.peer("udp-echo", "9997").ready();
    // The kernel keeps some 160 of them for an echo that does not get a processor: at this rate for most of a second.
    const argv = ["-a", KERNEL, "-p", "9997", "-n", "1000", "-s", "512", "-r", "200", "--echo"];
    const { exitCode, report, stderr } = await world.app("udp_source", ...argv).finished();
    expect([exitCode, report], stderr).toMatchObject([0, { sent: 1000, send_failures: 0, echoed: 1000 }]);
  });

  it("refuses connections to closed ports, and is told of refused ones", async () => {
    await using running = await server();
    const refused = await world.peer("connect", STACK, "81").finished();
    expect(refused.report).toMatchObject({ code: "ECONNREFUSED" });
    await running.stop();
    const { exitCode, report, stderr } = await world.app("epwget", `${KERNEL}/`, "1", "-P", "81").finished();
    expect([exitCode, report]).toMatchObject([1, { completed: 0, errors: 1 }]);
    expect(stderr).toContain("Connection refused");
  });
});
