import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../engine/fake-engine.js";
import { Lab } from "./lab.js";

let engine: FakeEngine;
let closed: number;

beforeEach(async () => {
  engine = await fakeEngine();
  closed = 0;
});

const up = (options: Parameters<typeof Lab.up>[1] = {}) =>
  Lab.upWith(
    async (emit) => ({
      ...engine.listening(emit),
      async [Symbol.asyncDispose]() {
        closed += 1;
      },
    }),
    LAB_FILE,
    options,
  );

describe("a lab in a program", () => {
  it("is up while its object lives, and gone with it", async () => {
    const steps: string[] = [];
    {
      await using lab = await up({ onEvent: (event) => void steps.push(event.type) });
      expect(lab.name).toBe("pair");
      expect(lab.machines.map(({ name, address }) => `${name} ${address}`)).toEqual([
        "left 169.254.9.1",
        "right 169.254.9.2",
      ]);
      expect((await lab.inspect()).running).toBe(true);
    }
    expect(steps).toContain("action-done");
    expect(engine.left()).toEqual([]);
    expect(closed).toBe(1);
  });

  it("is gone, and nothing is open, when it does not come up", async () => {
    engine.machines.faults.set("left", { rung: "agent" });
    await expect(up()).rejects.toMatchObject({ code: "VNF_NOT_READY" });
    expect(engine.left()).toEqual([]);
    expect(closed).toBe(1);
  });

  it("takes other values for keys of its file", async () => {
    await using lab = await up({ set: { "machines.left.address": "169.254.9.77/24" } });
    expect(lab.machine("left").address).toBe("169.254.9.77");
  });

  it("runs commands, applications, suites, and controls machines and links", async () => {
    engine.host.exec.install("tool", ({ argv, env, input, print }) => {
      print("stdout", `${argv[1]} ${env.COLOUR} ${Buffer.from(input ?? "").toString()}`);
      return 3;
    });
    await using lab = await up();
    const left = lab.machine("left");
    const said: string[] = [];
    const options = { env: { COLOUR: "green" }, input: "in", onOutput: (_: string, chunk: string) => said.push(chunk) };
    expect(await left.exec(["tool", "x"], options)).toEqual({ stdout: "x green in", stderr: "", exitCode: 3 });
    expect(said).toEqual(["x green in"]);
    await left.putFile("/note", "text");
    expect(Buffer.from(await left.getFile("/note")).toString()).toBe("text");
    await lab.pause("left");
    expect([...engine.machines.paused]).toEqual(["left"]);
    await lab.resume();
    expect(engine.machines.paused.size).toBe(0);
    await lab.impair("lan", { loss: 0.5 });
    expect(engine.sw.impairs.get("lan")).toMatchObject({ loss: 0.5, delayUs: 0 });
    await lab.impair("lan");
    expect(engine.sw.impairs.get("lan")).toBeUndefined();
    await lab.reset("right");
    await using sink = await left.start("tcp_sink", ["-l", "9"]);
    await sink.listening({ deadlineMs: 1000, signal: new AbortController().signal });
    expect(await lab.test({ only: ["tcp.link"], rounds: 2 })).toMatchObject({ passed: 4, failed: 0, seed: 1 });
    await expect(lab.copy("/absent", "left:")).rejects.toMatchObject({ code: "VNF_TOOL_MISSING" });
    expect(() => lab.machine("lefd")).toThrow('did you mean "left"');
  });
});
