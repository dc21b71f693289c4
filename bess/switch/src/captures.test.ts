// SPDX-License-Identifier: BSD-3-Clause
// Captures as a reader of the pipe gets them, judged by tshark: whole, in order of time, with interfaces, directions
// and what was lost; and a switch that goes on whatever the reader does.
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { constants, createWriteStream, openSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { pack } from "@vnflab/bess-proto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { link, module, port } from "./testing/build.js";
import { Daemon, whyNoDataPlane } from "./testing/daemon.js";
import { until } from "./testing/until.js";

const noTshark =
  spawnSync("tshark", ["--version"], { stdio: "ignore" }).error && "no tshark: install the package tshark";
const why = whyNoDataPlane() ?? noTshark;
if (why !== undefined) console.warn(`skipped: ${why}`);

/** Makes a pipe and opens it for reading before there is a writer, so it must not wait for one. */
function openPipe(fifo: string): number {
  execFileSync("mkfifo", [fifo]);
  return openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** Keeps everything that comes in a file, up to the end of the stream. */
function record(fd: number, file: string): Promise<unknown> {
  return once(new Socket({ fd, writable: false }).pipe(createWriteStream(file)), "finish");
}

function tshark(file: string, ...fields: string[]): string[][] {
  const args = ["-r", file, "-T", "fields", ...fields.flatMap((field) => ["-e", field])];
  const { stdout, stderr, status } = spawnSync("tshark", args, { encoding: "utf8", maxBuffer: 1 << 28 });
  expect([status, stderr.replace(/^Running as user "root".*\n/, "")]).toEqual([0, ""]);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}

/** Of the interface statistics block at the end, laid out as the switch writes it. */
function statistics(file: string): { received: number; dropped: number } {
  const bytes = readFileSync(file);
  const block = bytes.subarray(bytes.length - bytes.readUInt32LE(bytes.length - 4));
  expect(block.readUInt32LE(0)).toBe(5);
  return { received: Number(block.readBigUInt64LE(48)), dropped: Number(block.readBigUInt64LE(60)) };
}

describe.skipIf(why !== undefined)("captures", { timeout: 60_000 }, () => {
  let daemon: Daemon;
  let count = 0;

  beforeAll(async () => {
    daemon = await Daemon.start();
  }, 60_000);
  afterAll(() => daemon.stop());

  /** A ring port: what is sent to it comes back. So both directions of one port carry the same frames. */
  beforeEach(async () => {
    const { rpc } = daemon;
    await rpc.ok("ResetAll");
    await port(rpc, "ring", "net_ring0");
    await module(rpc, "src", "SourceArg", { pkt_size: 100 });
    await module(rpc, "out", "QueueOutArg", { port: "ring" });
    await module(rpc, "in", "QueueIncArg", { port: "ring" });
    await module(rpc, "s", "SinkArg", {});
    await link(rpc, "src -> out");
    await link(rpc, "in -> s");
  });

  const configure = (class_name: "TcpDump" | "PcapNg", fifo: string, gate: object, enable = true) =>
    daemon.rpc.ok("ConfigureGateHook", {
      hook: { class_name, arg: pack(class_name === "TcpDump" ? "TcpdumpArg" : "PcapngArg", { fifo }), ...gate },
      enable,
    });
  const INPUT = { module_name: "in", ogate: 0 };
  const OUTPUT = { module_name: "out", igate: 0 };
  const received = () => daemon.rpc.ok("GetPortStats", { name: "ring" }).then(({ inc }) => inc?.packets ?? 0);

  it("both directions of a port come out of one pipe in the order of time", async () => {
    const [fifo, file] = [daemon.path(`fifo${count}`), daemon.path(`capture${count++}`)];
    const ended = record(openPipe(fifo), file);
    await configure("PcapNg", fifo, INPUT);
    await configure("PcapNg", fifo, OUTPUT);
    await daemon.rpc.ok("ResumeAll");
    await until(received, (n) => n > 500);
    await configure("PcapNg", fifo, INPUT, false);
    await configure("PcapNg", fifo, OUTPUT, false);
    await ended;
    const packets = tshark(
      file,
      "frame.time_epoch",
      "frame.interface_name",
      "frame.packet_flags_direction",
      "frame.len",
    );
    const times = packets.map(([time = ""]) => BigInt(time.replace(".", "")));
    expect(times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0n))).toBe(true);
    expect(new Set(packets.map(([, name]) => name))).toEqual(new Set(["ring"]));
    expect(new Set(packets.map(([, , direction]) => Number(direction)))).toEqual(new Set([1, 2]));
    expect(new Set(packets.map(([, , , len]) => len))).toEqual(new Set(["100"]));
  });

  it("TcpDump writes what tcpdump reads", async () => {
    const [fifo, file] = [daemon.path(`fifo${count}`), daemon.path(`capture${count++}`)];
    const ended = record(openPipe(fifo), file);
    await configure("TcpDump", fifo, INPUT);
    await daemon.rpc.ok("ResumeAll");
    await until(received, (n) => n > 500);
    await configure("TcpDump", fifo, INPUT, false);
    await ended;
    expect(tshark(file, "frame.len").every(([len]) => len === "100")).toBe(true);
  });

  it("a reader that stands still makes the capture thinner, not the traffic slower; the file tells the loss", async () => {
    const [fifo, file] = [daemon.path(`fifo${count}`), daemon.path(`capture${count++}`)];
    const fd = openPipe(fifo);
    await configure("PcapNg", fifo, INPUT);
    await daemon.rpc.ok("ResumeAll");
    const before = await until(received, (n) => n > 200_000); // more than the ring and the pipe hold
    await until(received, (n) => n > before + 100_000);
    const ended = record(fd, file);
    await configure("PcapNg", fifo, INPUT, false);
    await ended;
    const { received: passed, dropped } = statistics(file);
    expect(dropped).toBeGreaterThan(0);
    expect(tshark(file, "frame.number")).toHaveLength(passed - dropped);
  });

  it("hooks come and go under traffic, and the switch ends with a capture under way", async () => {
    await daemon.rpc.ok("ResumeAll");
    for (let round = 0; round < 20; round++) {
      const [fifo, file] = [daemon.path(`fifo${count}`), daemon.path(`capture${count++}`)];
      const ended = record(openPipe(fifo), file);
      await configure("PcapNg", fifo, round % 2 === 0 ? INPUT : OUTPUT);
      await configure("PcapNg", fifo, round % 2 === 0 ? INPUT : OUTPUT, false);
      await ended;
    }
    await using other = await Daemon.start();
    await port(other.rpc, "ring", "net_ring0");
    await module(other.rpc, "out", "QueueOutArg", { port: "ring" });
    await module(other.rpc, "src", "SourceArg", {});
    await link(other.rpc, "src -> out");
    const pipe = await other.openPipe();
    const arg = pack("PcapngArg", { fifo: pipe.path });
    const at = { class_name: "PcapNg", module_name: "src", ogate: 0, arg };
    await other.rpc.ok("ConfigureGateHook", { hook: at, enable: true });
    await other.rpc.ok("ResumeAll");
    expect(await other.end("SIGTERM")).toBe(0);
    await pipe.close();
  });
});
