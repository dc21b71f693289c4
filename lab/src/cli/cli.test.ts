import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../engine/fake-engine.js";
import { ERROR_CODES, VnflabError } from "../model/error.js";
import { runFake } from "./fake-io.js";
import type { Io } from "./io.js";
import { buildProgram } from "./program.js";
import { cliReference, errorsReference } from "./reference.js";

let engine: FakeEngine;
let interrupt: AbortController;

beforeEach(async () => {
  engine = await fakeEngine();
  interrupt = new AbortController();
});

const vnflab = (...argv: string[]) => runFake(engine, argv, { interrupted: interrupt.signal });

describe("vnflab", () => {
  it("up, status, logs and down, as text", async () => {
    expect(await vnflab("up", LAB_FILE)).toMatchObject({ exitCode: 0, out: "pair is up: left, right\n" });
    const status = await vnflab("status", "pair");
    expect(status.exitCode).toBe(0);
    expect(status.out).toMatch(/^left +process +169.254.9.1\/24 +02:00:00:00:00:01 +running +link up/m);
    expect(status.out).toMatch(/^port +frames from it +to it +not taken\nleft +link up +0 +0 +0\nright /m);
    expect((await vnflab("logs", "pair")).out).toBe("switch: serving\nleft: left boots\nright: right boots\n");
    expect((await vnflab("logs", "pair", "left", "-n", "1")).out).toBe("left: left boots\n");
    expect(await vnflab("down", "pair")).toMatchObject({ exitCode: 0, out: "pair is down\n" });
    expect((await vnflab("status")).out).toBe("no lab\n");
    expect(engine.left()).toEqual([]);
  });

  it("prints one JSON document on standard output and JSON lines on standard error", async () => {
    const { out, err } = await vnflab("up", LAB_FILE, "--json");
    expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1, lab: "pair", machines: [{ name: "left" }, {}] });
    for (const line of err.trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("type");
    for (const command of [["status", "pair"], ["status"], ["logs", "pair"], ["down", "pair"]]) {
      expect(JSON.parse((await vnflab(...command, "--json")).out)).toMatchObject({ schemaVersion: 1 });
    }
  });

  it("prints the plan with --dry-run and does nothing", async () => {
    const { out } = await vnflab("up", LAB_FILE, "--dry-run");
    expect(out).toMatch(/^start the switch\nconnect a port for each of left, right\nstart left\n/);
    expect(engine.machines.calls).toEqual([]);
  });

  it("status says by its exit code when a part does not run", async () => {
    await vnflab("up", LAB_FILE);
    engine.machines.machines.set("left", "dead");
    expect((await vnflab("status", "pair")).exitCode).toBe(1);
  });

  it("exec passes output, input and exit code through", async () => {
    engine.host.exec.install("tool", ({ argv, input, print }) => {
      print("stdout", `${argv.slice(1).join("|")} ${input ? Buffer.from(input).toString() : ""}`);
      print("stderr", "hm");
      return 42;
    });
    await vnflab("up", LAB_FILE);
    const plain = await vnflab("exec", "pair", "left", "--", "tool", "-x", "--json");
    expect(plain).toEqual({ exitCode: 42, out: "-x|--json ", err: "hm" });
    const json = await vnflab("exec", "-i", "--json", "pair", "left", "tool");
    expect(JSON.parse(json.out)).toMatchObject({ stdout: " typed", stderr: "hm", exitCode: 42 });
  });

  it("demo tests and takes all down, also when a case fails", async () => {
    const { exitCode, out } = await vnflab("demo", LAB_FILE, "--only", "tcp.link", "--quick");
    expect(out).toContain("2 passed, 0 failed, 0 skipped");
    expect(exitCode).toBe(0);
    engine.host.exec.install("udp_sink", () => 1);
    expect((await vnflab("demo", LAB_FILE, "--only", "udp.echo", "--quick")).exitCode).toBe(1);
    expect(engine.left()).toEqual([]);
  });

  it("demo takes all down when it is interrupted, and starts nothing for a case that is not there", async () => {
    engine.host.exec.install("cat", () => {
      interrupt.abort(new VnflabError("VNF_INTERRUPTED", "interrupted by SIGINT"));
      return 0;
    });
    expect((await vnflab("demo", LAB_FILE, "--only", "machine")).exitCode).toBe(130);
    expect(engine.left()).toEqual([]);
    engine.machines.calls.length = 0;
    expect((await vnflab("demo", LAB_FILE, "--only", "tpc")).exitCode).toBe(2);
    expect(engine.machines.calls).toEqual([]);
  });

  it.each([
    [["nonsense"], 2, "unknown command 'nonsense'"],
    [["up"], 2, "missing required argument 'file'"],
    [["up", LAB_FILE, "--wrong"], 2, "unknown option '--wrong'"],
    [["logs", "pair", "-n", "x"], 2, "It must be a whole number"],
    [["test", "pair", "--bytes", "1x"], 2, "It must be a whole number, with k, m or g"],
    [["up", "/absent"], 3, "error VNF_LAB_INVALID: there is no lab file /absent\nhint: "],
    [["down", "nobody"], 16, 'error VNF_LAB_UNKNOWN: there is no lab "nobody"'],
    [["--help"], 0, ""],
  ])("%j ends with %d", async (argv, exitCode, message) => {
    const { exitCode: seen, err } = await vnflab(...argv);
    expect(seen).toBe(exitCode);
    expect(err).toContain(message);
  });

  it("shows the last lines of the log under an error, and the same as JSON", async () => {
    engine.machines.faults.set("left", { rung: "agent" });
    const { exitCode, err } = await vnflab("up", LAB_FILE);
    expect(exitCode).toBe(12);
    expect(err).toMatch(
      /error VNF_NOT_READY: left: the rung "agent" .*\nlast lines of \S+console.log:\n {2}\| left boots\nlast lines of \S+switch.log:\n {2}\| serving\nhint: /,
    );
    const last = (await vnflab("up", LAB_FILE, "--json")).err.trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).toMatchObject({ type: "error", error: { code: "VNF_NOT_READY", exitCode: 12 } });
  });

  it("ends with 130 when interrupted", async () => {
    interrupt.abort(new VnflabError("VNF_INTERRUPTED", "interrupted by SIGINT"));
    expect((await vnflab("up", LAB_FILE)).exitCode).toBe(130);
    expect(engine.left()).toEqual([]);
  });

  it("tells trouble with files from a bug", async () => {
    const refuse = (code: string) => async () => {
      throw Object.assign(new Error(`${code}: mkdir '/state'`), { code });
    };
    engine.host.files.createExclusive = refuse("EACCES");
    expect(await vnflab("up", LAB_FILE)).toMatchObject({ exitCode: 21, err: expect.stringContaining("VNF_FILES") });
    engine.host.files.createExclusive = refuse("EODD");
    expect(await vnflab("up", LAB_FILE)).toMatchObject({ exitCode: 70, err: expect.stringContaining("VNF_INTERNAL") });
  });

  it("a console needs a terminal, and a machine that has one", async () => {
    await vnflab("up", LAB_FILE);
    const { exitCode, err } = await vnflab("console", "pair", "left");
    expect(exitCode).toBe(2);
    expect(err).toContain("left has no console to type on");
  });
});

describe("the reference", () => {
  it("of errors is made from the code table, whose exit codes differ", async () => {
    const codes = Object.values(ERROR_CODES).map(({ exitCode }) => exitCode);
    expect(new Set(codes).size).toBe(codes.length);
    await expect(errorsReference()).toMatchFileSnapshot("../../../docs/reference/errors.md");
  });

  it("of the command is made from the command", async () => {
    const io = { out() {}, err() {} } as unknown as Io;
    await expect(cliReference(buildProgram(io, () => {}))).toMatchFileSnapshot("../../../docs/reference/cli.md");
  });
});
