/** Commands that look at a lab: logs -f, events, top, version, completion. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { down } from "../engine/down.js";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../engine/fake-engine.js";
import { inspectionJsonSchema, inspectionSchema } from "../engine/inspect.js";
import { VnflabError } from "../model/error.js";
import { runFake } from "./fake-io.js";

let engine: FakeEngine;
const vnflab = (...argv: string[]) => runFake(engine, argv);

beforeEach(async () => {
  engine = await fakeEngine();
  await vnflab("up", LAB_FILE);
});

/** Does something each time somebody waits; interrupts when there is no more. */
function script(...steps: (() => Promise<unknown> | unknown)[]): AbortSignal {
  const interrupt = new AbortController();
  const { clock } = engine.host;
  const delay = clock.delay.bind(clock);
  vi.spyOn(clock, "delay").mockImplementation(async (ms, signal) => {
    const step = steps.shift();
    if (step) await step();
    else interrupt.abort(new VnflabError("VNF_INTERRUPTED", "interrupted by SIGINT"));
    return delay(ms, signal);
  });
  return interrupt.signal;
}

const logOf = (machine: string) => engine.left().find((path) => path.endsWith(`${machine}/console.log`)) ?? "";

describe("logs -f", () => {
  it("tells the last lines, then whole new ones of all, also of a log that is begun anew", async () => {
    const { files } = engine.host;
    const interrupted = script(
      () => files.append(logOf("left"), "first\nsec"),
      () => files.append(logOf("left"), "ond\n"),
      () => files.append(logOf("right"), "\x1b[1mbold\r\n"),
      () => files.write(logOf("left"), "anew\n"),
    );
    const { out, exitCode } = await runFake(engine, ["logs", "-f", "pair", "-n", "1"], { interrupted });
    expect(exitCode).toBe(0);
    expect(out).toBe(
      "switch: serving\nleft: left boots\nright: right boots\nleft: first\nleft: second\nright: bold\nleft: anew\n",
    );
  });

  it("gives JSON lines, and ends with the lab", async () => {
    script(
      () => engine.host.files.append(logOf("left"), "x\n"),
      () => down(engine.context, "pair"),
    );
    expect((await vnflab("logs", "-f", "pair", "left", "--json")).out).toBe('{"source":"left","line":"x"}\n');
  });
});

describe("events", () => {
  const parse = (out: string) =>
    out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it("tell the journal so far and what runs, then what changes, until the lab is gone", async () => {
    script(
      () => engine.machines.machines.set("left", "dead"),
      () => {
        engine.sw.linkUp = false;
      },
      () => {},
      () => down(engine.context, "pair"),
    );
    const events = parse((await vnflab("events", "pair", "--json")).out);
    const steps = events.filter(({ type }) => type === "step");
    expect(steps[0]).toMatchObject({ phase: "run", command: expect.stringContaining("up pair") });
    expect(steps[1]).toMatchObject({ phase: "begin", action: { kind: "start-switch" } });
    const changes = events.filter(({ type }) => type !== "step").map(({ time: _, detail: __, ...rest }) => rest);
    expect(changes).toEqual([
      { type: "switch", status: "running" },
      { type: "machine", machine: "left", status: "running" },
      { type: "link", machine: "left", up: true },
      { type: "machine", machine: "right", status: "running" },
      { type: "link", machine: "right", up: true },
      { type: "machine", machine: "left", status: "dead" },
      { type: "link", machine: "left", up: false },
      { type: "link", machine: "right", up: false },
      { type: "lab", status: "removed" },
    ]);
  });

  it("are lines for people without --json", async () => {
    const { out } = await vnflab("events", "pair", "--once");
    expect(out).toMatch(/^2026-01-01T\S+ begin start-switch$/m);
    expect(out).toMatch(/^2026-01-01T\S+ left is running: fake machine, running$/m);
    expect(out).toMatch(/^2026-01-01T\S+ right has a link$/m);
  });
});

describe("top", () => {
  const stat = (ticks: number) => `7 (a b) S ${Array.from({ length: 10 }, () => 0).join(" ")} ${ticks} 0 0`;
  const cpu = (tid: number, comm: string, ticks: number) =>
    Promise.all([
      engine.host.files.write(`/proc/7/task/${tid}/stat`, stat(ticks)),
      engine.host.files.write(`/proc/7/task/${tid}/comm`, `${comm}\n`),
    ]);

  beforeEach(async () => {
    const observe = engine.machines.observe.bind(engine.machines);
    engine.machines.observe = async (spec) => {
      const state = await observe(spec);
      return spec.machine === "left" ? { ...state, pids: [7] } : state;
    };
    let frames = 0;
    const observeSwitch = engine.sw.observe.bind(engine.sw);
    engine.sw.observe = async (spec) => {
      frames += 1000;
      const state = await observeSwitch(spec);
      return { ...state, ports: state.ports.map((port) => ({ ...port, received: frames, sent: 0, dropped: 0 })) };
    };
    await Promise.all([cpu(7, "qemu", 100), cpu(8, "CPU 0/TCG", 500), cpu(9, "CPU 1/TCG", 0)]);
  });

  it("gives rates between two looks, thread by thread and port by port", async () => {
    script(() => Promise.all([cpu(7, "qemu", 105), cpu(8, "CPU 0/TCG", 550), cpu(10, "worker", 3)]));
    const { out } = await vnflab("top", "pair", "--count", "1", "--interval", "0.5", "--json");
    expect(JSON.parse(out)).toMatchObject({
      schemaVersion: 1,
      seconds: 0.5,
      cpu: [
        { owner: "left", what: "other", percent: 16 },
        { owner: "left", what: "vcpu 0", percent: 100 },
        { owner: "left", what: "vcpu 1", percent: 0 },
      ],
      ports: [{ name: "left", received: 2000, sent: 0 }, { name: "right" }],
    });
  });

  it("is drawn anew on a terminal only", async () => {
    script(() => {});
    expect((await vnflab("top", "pair", "--count", "1")).out).toMatch(/^pair 2026[\s\S]*left +vcpu 0 +0.0 %/);
    vi.restoreAllMocks();
    const drawn = await runFake(engine, ["top", "pair", "--count", "2"], { outIsTerminal: true });
    expect(drawn.out.split("\x1b[H\x1b[J").length).toBe(3);
  });
});

describe("inspect", () => {
  it("tells everything, as its schema says", async () => {
    const inspection: unknown = JSON.parse((await vnflab("inspect", "pair", "--json")).out);
    expect(inspectionSchema.strict().parse(inspection)).toMatchObject({
      schemaVersion: 1,
      lab: "pair",
      running: true,
      switch: { status: "running" },
      machines: [
        {
          name: "left",
          status: "running",
          nics: [{ address: "169.254.9.1/24", port: { linkUp: true } }],
          domain: null,
        },
        { name: "right" },
      ],
    });
    expect((await vnflab("inspect", "pair")).out).toMatch(
      /^left +lan +169.254.9.1\/24 +02:00:00:00:00:01 +1 +link up/m,
    );
    expect((await vnflab("inspect", "pairs")).err).toContain('(did you mean "pair"?)');
  });

  it("has a schema that is made from the code", async () => {
    const text = `${JSON.stringify(inspectionJsonSchema(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot("../../schema/inspect.schema.json");
  });
});

describe("version", () => {
  it("tells what is installed, and leaves out what is not", async () => {
    const { exec, files } = engine.host;
    exec.install("qemu-system-x86_64", ({ print }) => {
      print("stdout", "QEMU emulator version 10.0.2 (Debian)\n");
      return 0;
    });
    await files.write("/repo/bess/switch/package.json", '{"version":"0.3.0"}');
    const { out } = await vnflab("version", "--json");
    expect(JSON.parse(out)).toEqual({
      ...{ schemaVersion: 1, vnflab: "0.1.0", node: "unknown", qemu: "10.0.2", vportd: "0.3.0" },
    });
  });
});

describe("completion", () => {
  const complete = async (...words: string[]) => (await vnflab("complete", "--", ...words)).out;

  it("offers commands, options, names of labs and of the named lab's machines", async () => {
    expect(await complete("sta")).toMatch(/^status\t.*\n:4\n$/);
    expect(await complete("down", "")).toBe("pair\t\n:4\n");
    expect(await complete("exec", "pair", "le")).toBe("left\t\n:4\n");
    expect(await complete("pause", "pair", "left", "ri")).toBe("right\t\n:4\n");
    expect(await complete("snapshot", "re")).toMatch(/^restore\t/);
    expect(await complete("logs", "--fo")).toMatch(/^--follow\t/);
    expect(await complete("completion", "")).toBe("bash\t\nzsh\t\nfish\t\n:4\n");
  });

  it("leaves files to the shell", async () => {
    expect(await complete("up", "")).toBe(":0\n");
  });

  it("does not fail where there is nothing", async () => {
    const broken = () => Promise.reject(new Error("no home"));
    expect((await runFake(engine, ["complete", "--", "down", ""], { openEngine: broken })).out).toBe(":0\n");
  });

  it.each(["bash", "zsh", "fish"])("prints a script that %s can read", async (shell) => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    expect((await vnflab("completion", shell)).exitCode).toBe(0);
    const text = String(log.mock.calls[0]?.[0]);
    log.mockRestore();
    expect(text).toContain("vnflab complete --");
    const folder = await mkdtemp(join(tmpdir(), "vnflab-completion-test-"));
    await writeFile(join(folder, "script"), text);
    const { status, stderr, error } = spawnSync(shell, ["-n", join(folder, "script")], { encoding: "utf8" });
    await rm(folder, { recursive: true });
    // The end-to-end scenario demands all three; a developer may lack some.
    if (error) return;
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});
