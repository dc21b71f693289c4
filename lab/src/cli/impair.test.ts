import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../engine/fake-engine.js";
import { runFake } from "./fake-io.js";

let engine: FakeEngine;

const LAB = `name: pair
seed: 9
links: {lan: {impair: {delay: 3ms}}}
machines: {left: {kind: process, nics: [{link: lan}]}, right: {kind: process, nics: [{link: lan}]}}
`;

beforeEach(async () => {
  engine = await fakeEngine();
  await engine.host.files.write(LAB_FILE, LAB);
  await runFake(engine, ["up", LAB_FILE]);
});

const impair = (...argv: string[]) => runFake(engine, ["impair", "pair", ...argv]);

describe("vnflab impair", () => {
  it("shows what the lab file asked for", async () => {
    const { out, exitCode } = await impair("lan");
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^lan: delay 3ms \(seed 9\)\nPORT +FRAMES .*\nleft +0 .*\nright +0 /);
    expect(JSON.parse((await impair("lan", "--show", "--json")).out)).toMatchObject({
      ...{ schemaVersion: 1, lab: "pair", link: "lan" },
      ...{ impair: { delayUs: 3000, loss: 0 }, ports: [{ port: "left" }, { port: "right" }] },
    });
  });

  it("lasts when the switch is started anew, until the lab file says something else", async () => {
    await impair("lan", "--loss", "1%");
    expect((await runFake(engine, ["up", LAB_FILE, "--dry-run"])).out).toContain("nothing to do");
    engine.sw.status = "dead";
    await runFake(engine, ["up", LAB_FILE]);
    expect((await impair("lan")).out).toContain("lan: loss 1% (seed 9)");
    await engine.host.files.write(LAB_FILE, LAB.replace("3ms", "4ms"));
    await runFake(engine, ["up", LAB_FILE]);
    expect((await impair("lan")).out).toContain("lan: delay 4ms (seed 9)");
  });

  it("sets all anew, with the link's seed unless told another, and clears", async () => {
    const { out } = await impair("lan", "--loss", "1%", "--delay", "10ms", "--jitter", "500us", "--rate", "2.5G");
    expect(out).toContain("lan: delay 10ms, jitter 0.5ms, loss 1%, rate 2500M (seed 9)");
    expect(engine.sw.impairs.get("lan")).toEqual({
      ...{ delayUs: 10_000, jitterUs: 500, loss: 0.01, duplicate: 0, reorder: 0, rateBps: 2.5e9, seed: 9 },
    });
    await impair("lan", "--reorder", "25%", "--duplicate", "0.5%", "--seed", "7");
    expect(engine.sw.impairs.get("lan")).toEqual({
      ...{ delayUs: 0, jitterUs: 0, loss: 0, duplicate: 0.005, reorder: 0.25, seed: 7 },
    });
    expect((await impair("lan", "--clear")).out).toContain("lan: frames pass as they are");
    expect(engine.sw.impairs.get("lan")).toBeUndefined();
  });

  it("refuses what makes no sense", async () => {
    for (const argv of [
      ["--loss", "2"],
      ["--delay", "10"],
      ["--rate", "fast"],
      ["--seed", "x"],
    ]) {
      expect(await impair("lan", ...argv)).toMatchObject({ exitCode: 2, err: expect.stringContaining("It must be") });
    }
    for (const argv of [
      ["--clear", "--loss", "1%"],
      ["--show", "--clear"],
      ["--jitter", "1ms"],
    ]) {
      expect((await impair("lan", ...argv)).exitCode).toBe(2);
    }
    const { err, exitCode } = await impair("lam");
    expect(exitCode).toBe(16);
    expect(err).toContain('lab "pair" has no link "lam" (did you mean "lan"?); it has lan');
  });
});
