/** `vnflab test`: what it runs, when it ends, what it writes. */
import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../engine/fake-engine.js";
import { PLAIN, runFake } from "./fake-io.js";

let engine: FakeEngine;
const vnflab = (...argv: string[]) => runFake(engine, argv);

beforeEach(async () => {
  engine = await fakeEngine();
  await vnflab("up", LAB_FILE);
});

describe("vnflab test", () => {
  it("lists what there is, without a lab, and says what must be asked for", async () => {
    const { out } = await vnflab("test", "--list");
    expect(out).toMatch(/^tcp.bulk +one connection, the opener sends$/m);
    expect(out).toMatch(/^failover.switch .*\(only when asked for\)$/m);
    const chosen = JSON.parse((await vnflab("test", "--list", "--suite", "mtu", "--json")).out);
    expect(chosen.cases.map(({ id }: { id: string }) => id)).toEqual(["mtu.largest", "mtu.too-long"]);
    expect((await vnflab("test")).exitCode).toBe(2);
  });

  it("writes TAP and JUnit beside its report", async () => {
    const { exitCode, out } = await vnflab(
      ...["test", "pair", "--case", "tcp.link", "--tap", "/out/t.tap", "--junit", "/out/t.xml", "--seed", "5"],
    );
    expect(exitCode).toBe(0);
    expect(out).toContain("2 passed, 0 failed, 0 skipped, 0 blocked; seed 5\n");
    expect(await engine.host.files.readText("/out/t.tap")).toMatch(
      /^TAP version 14\n# lab pair, seed 5\n1..2\nok 1 - /,
    );
    expect(await engine.host.files.readText("/out/t.xml")).toContain('<testsuite name="pair.tcp"');
  });

  it("fails in a way of its own when nothing could be tested", async () => {
    const { exitCode, out, err } = await vnflab("test", "pair", "--suite", "kernel");
    expect(exitCode).toBe(43);
    expect(out).toContain("0 passed, 0 failed, 4 skipped, 0 blocked");
    expect(err).toContain("error VNF_NOTHING_TESTED: no case ran on pair: 4 were skipped");
  });

  it("tells by its exit code that something was blocked", async () => {
    await vnflab("pause", "pair", "left");
    expect(await vnflab("test", "pair", "--case", "tcp.link")).toMatchObject({ exitCode: 1 });
  });

  it("waits after a failure for somebody to look at it, if there is somebody", async () => {
    engine.sw.linkUp = false;
    const argv = ["test", "pair", "--case", "tcp.link", "--pause-on-fail", "--until-fail", "--deadline", "1"];
    expect(await vnflab(...argv)).toMatchObject({ exitCode: 2, err: expect.stringContaining("needs a terminal") });
    let pressed = 0;
    const { exitCode, err } = await runFake(engine, argv, {
      terminal: { ...PLAIN, interactive: true },
      enter: async () => {
        pressed += 1;
      },
    });
    expect(exitCode).toBe(1);
    expect(pressed).toBe(1);
    expect(err).toContain("The lab is as it left it. Enter goes on, Ctrl-C ends.");
  });
});
