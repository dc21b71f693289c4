/** Commands that control the machines of a lab that runs. */
import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../engine/fake-engine.js";
import { runFake } from "./fake-io.js";
import type { Io } from "./io.js";

let engine: FakeEngine;
const vnflab = (...argv: string[]) => runFake(engine, argv);

beforeEach(async () => {
  engine = await fakeEngine();
  await vnflab("up", LAB_FILE);
  engine.host.exec.install("tool", ({ argv, env, input, print }) => {
    print(
      "stdout",
      `I am ${env.VNFLAB_MACHINE}\n${argv.slice(1).join("|")}${input ? Buffer.from(input).toString() : ""}`,
    );
    print("stderr", "hm\n");
    return env.VNFLAB_MACHINE === "right" ? 7 : 3;
  });
});

describe("exec", () => {
  it("runs in several machines at once, each line with its machine, and gives the highest exit code", async () => {
    const { exitCode, out, err } = await vnflab("exec", "pair", "left,right", "--", "tool", "-x");
    expect(exitCode).toBe(7);
    expect(out.split("\n").sort()).toEqual(["", "left: -x", "left: I am left", "right: -x", "right: I am right"]);
    expect(err.split("\n").sort()).toEqual(["", "left: hm", "right: hm"]);
  });

  it.each([
    ["exec", "--all", "pair", "--", "tool"],
    ["exec", "-a", "pair", "tool"],
    ["exec", "pair", "--all", "--", "tool"],
  ])("runs in all machines: %s %s %s", async (...argv) => {
    expect((await vnflab(...argv)).out).toMatch(/left: I am left[\s\S]*right: I am right/);
  });

  it("gives the answers of all as JSON, also of a machine that does not answer", async () => {
    engine.machines.paused.add("left");
    const { exitCode, out } = await vnflab("exec", "--json", "-i", "pair", "left,right", "--", "tool");
    expect(exitCode).toBe(14);
    expect(JSON.parse(out)).toMatchObject({
      schemaVersion: 1,
      argv: ["tool"],
      answers: [
        { machine: "left", exitCode: 14, error: { code: "VNF_GUEST_COMMAND" } },
        { machine: "right", exitCode: 7, stdout: "I am right\ntyped" },
      ],
    });
  });

  it("needs a command", async () => {
    expect(await vnflab("exec", "pair", "left", "--")).toMatchObject({ exitCode: 2 });
    expect(await vnflab("exec", "--all", "pair")).toMatchObject({ exitCode: 2 });
  });
});

describe("pause, resume, reset and snapshot", () => {
  it("tell what they did", async () => {
    expect(await vnflab("pause", "pair", "left")).toMatchObject({ exitCode: 0, out: "paused: left\n" });
    expect((await vnflab("status", "pair")).out).toMatch(/^left .* paused/m);
    expect((await vnflab("resume", "pair")).out).toBe("resumed: left, right\n");
    expect((await vnflab("reset", "pair", "left,right")).out).toBe("reset: left, right\n");
    expect((await vnflab("snapshot", "save", "pair", "one")).out).toBe("saved one: left (0 MiB), right (0 MiB)\n");
    expect((await vnflab("snapshot", "ls", "pair")).out).toMatch(/^one {2}2026/);
    expect((await vnflab("snapshot", "restore", "pair", "one")).out).toMatch(/^restored one: left/);
    expect((await vnflab("snapshot", "rm", "pair", "one")).out).toBe("removed one\n");
    expect((await vnflab("snapshot", "ls", "pair")).out).toBe("no snapshot\n");
    expect((await vnflab("snapshot", "rm", "pair", "one")).exitCode).toBe(42);
  });

  it("give JSON", async () => {
    expect(JSON.parse((await vnflab("pause", "pair", "--json")).out)).toMatchObject({ paused: ["left", "right"] });
    await vnflab("resume", "pair");
    await vnflab("snapshot", "save", "pair", "one", "left");
    const listed = JSON.parse((await vnflab("snapshot", "ls", "pair", "--json")).out);
    expect(listed).toMatchObject({ schemaVersion: 1, snapshots: [{ name: "one", machines: [{ name: "left" }] }] });
  });
});

describe("shell", () => {
  it("runs standard input as a script, and is interactive on a terminal", async () => {
    engine.host.exec.install("sh", ({ argv, input, print }) => {
      print("stdout", `${argv.slice(1).join(" ")}:${input ? Buffer.from(input).toString() : ""}\n`);
      return 5;
    });
    expect(await vnflab("shell", "pair", "left")).toMatchObject({ exitCode: 5, out: ":typed\n" });
    expect(JSON.parse((await vnflab("shell", "pair", "left", "--json")).out)).toMatchObject({ stdout: ":typed\n" });
    const onTerminal: Partial<Io> = { readInput: async () => undefined };
    expect((await runFake(engine, ["shell", "pair", "left"], onTerminal)).exitCode).toBe(5);
    expect((await runFake(engine, ["shell", "pair", "left", "--json"], onTerminal)).exitCode).toBe(2);
    engine.machines.terminal = () => ({ kind: "none", reason: "there is no console" });
    expect((await runFake(engine, ["shell", "pair", "left"], onTerminal)).exitCode).toBe(41);
    engine.machines.terminal = () => ({ kind: "console", socket: "/absent" });
    expect((await runFake(engine, ["shell", "pair", "left"], onTerminal)).exitCode).toBe(2);
  });
});

describe("cp", () => {
  it("tells what it could not copy", async () => {
    engine.host.exec.install("stat", () => 1);
    expect(await vnflab("cp", "pair", "/absent", "left:/x")).toMatchObject({
      exitCode: 44,
      err: expect.stringContaining("VNF_COPY: there is no /absent"),
    });
  });
});
