import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex, duplexPair } from "node:stream";
import { describe, expect, it } from "vitest";
import { hostContract } from "../host-contract.js";
import { realHost } from "../real-host.js";
import { openFarHost } from "./far-host.js";
import { encodeFrame, FrameReader } from "./frame.js";
import { FarServer } from "./server.js";

async function folderWorld() {
  const folder = await mkdtemp(join(tmpdir(), "vnflab-host-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

function pair(): [Duplex, Duplex] {
  const [near, far] = duplexPair();
  return [near, far];
}

async function farWorld() {
  const { folder, remove } = await folderWorld();
  const [near, far] = pair();
  const served = new FarServer(realHost(), far).serve();
  let sockets = 0;
  const host = await openFarHost(near, {
    ...{ name: "the test", complaints: () => "", clock: realHost().clock },
    terminal: async () => 0,
    nextSocketPath: async () => join(folder, `tunnel-${sockets++}`),
  });
  return { folder, remove, host, near, far, served };
}

hostContract("real", async () => {
  const { folder, remove } = await folderWorld();
  return { host: realHost(), folder, [Symbol.asyncDispose]: remove };
});

hostContract("behind a link", async () => {
  const { host, folder, remove, served } = await farWorld();
  return {
    ...{ host, folder },
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await served;
      await remove();
    },
  };
});

describe("frames", () => {
  it("come out whole, however the stream was cut", () => {
    const frames = [
      encodeFrame({ a: "ü" }, Buffer.from([0, 255, 10])),
      encodeFrame([]),
      encodeFrame("x", Buffer.alloc(9)),
    ];
    const stream = Buffer.concat(frames);
    for (const size of [1, 2, 7, 8, 9, stream.length]) {
      const reader = new FrameReader();
      const out = [];
      for (let at = 0; at < stream.length; at += size) out.push(...reader.take(stream.subarray(at, at + size)));
      expect(out.map(({ head }) => head)).toEqual([{ a: "ü" }, [], "x"]);
      expect(out.map(({ bytes }) => bytes.length)).toEqual([3, 0, 9]);
    }
  });

  it("are told from what a shell says", () => {
    expect(() => new FrameReader().take(Buffer.from("sh: node: not found\n"))).toThrow(/sh: node: not found/);
  });
});

describe("a link that is lost", () => {
  it("fails calls with the place's name, and ends what ran for it", async () => {
    const { host, near, far, served, remove } = await farWorld();
    const child = await host.exec.spawn(["sleep", "60"]);
    for (const end of [near, far]) end.destroy();
    const { exitCode, stderr } = await child.wait();
    expect(exitCode).toBe(137);
    expect(stderr).toContain("the connection to the test was lost");
    await expect(host.files.readText("/x")).rejects.toMatchObject({ code: "VNF_PLACE_LOST" });
    await served;
    expect(await realHost().exec.isAlive(child.identity)).toBe(false);
    await remove();
  });

  it("is over for those who still wait when it is closed", async () => {
    const { host, served, remove } = await farWorld();
    const child = await host.exec.spawn(["sleep", "60"]);
    await host[Symbol.asyncDispose]();
    expect((await child.wait()).exitCode).toBe(137);
    await served;
    await remove();
  });

  it("says what stood there instead of the helper", async () => {
    const noise = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const opening = openFarHost(noise, {
      ...{ name: "the test", complaints: () => "node: not found\n", clock: realHost().clock },
      terminal: async () => 0,
      nextSocketPath: async () => "/x",
    });
    noise.push(null);
    await expect(opening).rejects.toMatchObject({
      code: "VNF_PLACE_LOST",
      message: "the connection to the test was lost: node: not found",
    });
  });
});
