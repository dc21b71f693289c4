import { beforeEach, describe, expect, it } from "vitest";
import { runFake } from "../cli/fake-io.js";
import { VnflabError } from "../model/error.js";
import { capturePoints } from "./capture.js";
import { type FakeEngine, fakeEngine, LAB_FILE } from "./fake-engine.js";
import { BlockSplitter } from "./pcapng-blocks.js";
import type { LabRecord } from "./record.js";

/** A block of a type, with a body of whole words. */
function block(type: number, ...words: number[]): Buffer {
  const length = 12 + 4 * words.length;
  const all = Buffer.from(new Uint32Array([type, length, ...words, length]).buffer);
  return all;
}
const SECTION = block(0x0a0d0d0a, 1, 2, 3);
const packet = (n: number) => block(6, n);
/** Interface, time, option 4 of 8 bytes, option 5 of 8 bytes: 9 lost; end. */
const STATISTICS = block(5, 0, 0, 0, 4 | (8 << 16), 20, 0, 5 | (8 << 16), 9, 0, 0);

describe("blocks of a pcapng", () => {
  it("come out whole, wherever the stream was cut", () => {
    const stream = Buffer.concat([SECTION, packet(1), packet(2), STATISTICS]);
    for (let cut = 0; cut <= stream.length; cut++) {
      const splitter = new BlockSplitter();
      const blocks = [...splitter.push(stream.subarray(0, cut)), ...splitter.push(stream.subarray(cut))];
      expect(Buffer.concat(blocks.map(({ bytes }) => bytes))).toEqual(stream);
      expect(blocks.map(({ isPacket }) => isPacket)).toEqual([false, true, true, false]);
      expect(blocks.at(-1)?.dropped).toBe(9);
    }
  });
});

describe("vnflab capture", () => {
  let engine: FakeEngine;

  beforeEach(async () => {
    engine = await fakeEngine();
    engine.sw.captured = [Buffer.concat([SECTION, packet(1)]), packet(2), packet(3), STATISTICS];
    await engine.writeLab(
      "{left: {kind: process, nics: [{link: l}]}, right: {kind: process, nics: [{link: r}]}}\nlinks: {l: {}, r: {}}",
    );
    expect(await runFake(engine, ["up", LAB_FILE])).toMatchObject({ exitCode: 0 });
    engine.sw.calls.length = 0;
  });

  const capture = (...argv: string[]) => runFake(engine, ["capture", "pair", ...argv]);

  it("passes the stream on and ends after so many frames, its statistics with it", async () => {
    const { exitCode, out, err } = await capture("left", "--count", "2");
    expect(err).toContain("2 frames at left, 9 more were lost: the reader was too slow\n");
    expect(exitCode).toBe(0);
    expect(Buffer.from(out, "latin1")).toEqual(Buffer.concat([SECTION, packet(1), packet(2), STATISTICS]));
    expect(engine.sw.calls).toEqual(["capture left both ways", "stop capture"]);
  });

  it("refuses a switch on another host, whose pipe is out of reach", async () => {
    const { files } = engine.host;
    const file = files.paths().find((path) => path.endsWith("/lab.json")) ?? "";
    const place = { kind: "ssh", destination: "there", libvirtUri: "qemu:///session" };
    const record = JSON.parse((await files.readText(file)) ?? "");
    await files.write(file, JSON.stringify({ ...record, switch: { ...record.switch, place } }));
    const { exitCode, err } = await capture("left");
    expect(err).toContain('error VNF_UNSUPPORTED: the switch of "pair" is on another host');
    expect(exitCode).toBe(41);
    expect(engine.sw.calls).toEqual([]);
  });

  it("keeps what the filter accepts, and counts only that", async () => {
    const frame = (etherType: number) => {
      const bytes = Buffer.alloc(28 + 60 + 4);
      bytes.writeUInt32LE(6, 0);
      bytes.writeUInt32LE(bytes.length, 4);
      bytes.writeUInt32LE(60, 20);
      bytes.writeUInt32LE(60, 24);
      bytes.writeUInt16BE(etherType, 28 + 12);
      return bytes;
    };
    const [arp, ip] = [frame(0x0806), frame(0x0800)];
    engine.sw.captured = [Buffer.concat([SECTION, ip, arp]), ip, arp, arp, STATISTICS];
    const { exitCode, out, err } = await capture("left", "--filter", "arp", "--count", "2");
    expect([exitCode, err]).toEqual([0, expect.stringContaining("2 frames at left")]);
    expect(Buffer.from(out, "latin1")).toEqual(Buffer.concat([SECTION, arp, arp, STATISTICS]));
  });

  it("says what is no filter before it asks the switch for anything", async () => {
    const { exitCode, err } = await capture("left", "--filter", "tcp porte 7");
    expect([exitCode, err]).toEqual([2, expect.stringContaining('"tcp porte 7" is no packet filter')]);
    expect(engine.sw.calls).toEqual([]);
  });

  it("ends after its time or at Ctrl-C, and both are no failure", async () => {
    const timed = await capture("right.0", "--duration", "2", "-w", "/out.pcapng", "--json");
    expect(timed).toMatchObject({ exitCode: 0, out: "" });
    expect(await engine.host.files.readBytes("/out.pcapng")).toHaveLength(
      Buffer.concat([...engine.sw.captured]).length,
    );
    expect(JSON.parse(timed.err.trim().split("\n").at(-1) ?? "")).toMatchObject({ ports: ["right"], packets: 3 });
    const interrupted = AbortSignal.abort(new VnflabError("VNF_INTERRUPTED", "interrupted by SIGINT"));
    expect((await runFake(engine, ["capture", "pair", "r"], { interrupted })).exitCode).toBe(0);
    expect(engine.sw.calls.filter((call) => call === "stop capture")).toHaveLength(2);
  });

  it("ends when nobody takes the stream any more", async () => {
    const { exitCode } = await runFake(engine, ["capture", "pair", "left"], { outBytes: async () => false });
    expect(exitCode).toBe(0);
    expect(engine.sw.calls.at(-1)).toBe("stop capture");
  });

  it("tells a switch that ended, and keeps what came before", async () => {
    engine.sw.captureEnds = true;
    const { exitCode, err } = await capture("left", "-w", "/out.pcapng");
    expect(exitCode).toBe(28);
    expect(err).toContain("error VNF_CAPTURE: the capture broke off: the switch has ended");
    expect(await engine.host.files.readBytes("/out.pcapng")).toBeDefined();
  });

  it("writes no binary data on a terminal, and knows what there is to capture", async () => {
    expect((await runFake(engine, ["capture", "pair", "left"], { outIsTerminal: true })).exitCode).toBe(2);
    const { exitCode, err } = await capture("lift");
    expect(exitCode).toBe(16);
    expect(err).toContain('has no machine, interface or link "lift"');
  });
});

it("both directions of a machine or of one interface, but each frame of a link once", () => {
  const machines = [
    { name: "left", nics: [{ link: "l", port: "left" }] },
    {
      name: "mid",
      nics: [
        { link: "l", port: "mid" },
        { link: "r", port: "mid.1" },
      ],
    },
  ];
  const record = { lab: "x", deployment: { machines, links: [{ name: "l" }, { name: "r" }] } } as unknown as LabRecord;
  const points = (target: string) =>
    capturePoints(record, target).map(({ port, sent }) => `${port}${sent ? " both" : ""}`);
  expect(points("mid")).toEqual(["mid both", "mid.1 both"]);
  expect(points("mid.0")).toEqual(["mid both"]);
  expect(points("mid.1")).toEqual(["mid.1 both"]);
  expect(points("l")).toEqual(["left", "mid"]);
  expect(points("r")).toEqual(["mid.1"]);
  expect(() => points("midd")).toThrow('has no machine, interface or link "midd" (did you mean "mid"?)');
});
