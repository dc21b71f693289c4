import { beforeEach, describe, expect, it } from "vitest";
import { VnflabError } from "../model/error.js";
import type { EngineContext } from "./context.js";
import { down } from "./down.js";
import { type FakeEngine, fakeEngine, LAB_FILE } from "./fake-engine.js";
import { listLabs } from "./ls.js";
import { labStatus } from "./status.js";
import { up } from "./up.js";

const signal = new AbortController().signal;

let engine: FakeEngine;
let { host, machines, sw, events, writeLab, left } = {} as FakeEngine;
let context: EngineContext;

beforeEach(async () => {
  engine = await fakeEngine();
  ({ host, machines, sw, events, writeLab, left, context } = engine);
});

const run = (file = LAB_FILE, options = {}) => up(context, file, { signal, ...options });

const ALL_UP = ["start switch", "connect ports", "start left", "start right"];
const ALL_DOWN = ["stop right", "stop left", "stop switch", "release"];

describe("up and down", () => {
  it("starts in order, and down leaves nothing", async () => {
    await run();
    expect(machines.calls).toEqual(ALL_UP);
    expect(await labStatus(context, "pair")).toMatchObject({ running: true, switch: { status: "running" } });
    machines.calls.length = 0;
    await down(context, "pair");
    expect(machines.calls).toEqual(ALL_DOWN);
    expect(left()).toEqual([]);
    expect(host.exec.running()).toEqual([]);
    expect(await listLabs(context)).toEqual([]);
  });

  it("does nothing when all runs, and only what is missing otherwise", async () => {
    await run();
    machines.calls.length = 0;
    await run();
    expect(machines.calls).toEqual([]);
    machines.machines.set("right", "dead");
    await run();
    expect(machines.calls).toEqual(["stop right", "start right"]);
  });

  it("stops what the file no longer has, starts what is new, and wires the running switch", async () => {
    await run();
    machines.calls.length = 0;
    await writeLab("{left: {kind: process}, middle: {kind: process, address: 169.254.9.9/24}}");
    await run();
    expect(machines.calls).toEqual(["stop right", "connect ports", "start middle"]);
    expect(await labStatus(context, "pair")).toMatchObject({ machines: [{ name: "left" }, { name: "middle" }] });
  });

  it("leaves everybody where it is when a machine comes between them", async () => {
    await run();
    const before = (await labStatus(context, "pair")).machines.map(({ name, address, mac }) => [name, address, mac]);
    machines.calls.length = 0;
    await writeLab("{left: {kind: process, stack: {workers: 1}}, middle: {kind: process}, right: {kind: process}}");
    await run();
    expect(machines.calls).not.toContain("stop left");
    const after = (await labStatus(context, "pair")).machines.map(({ name, address, mac }) => [name, address, mac]);
    expect(after.filter(([name]) => name !== "middle")).toEqual(before);
  });

  it("starts all anew when the switch's own keys have changed", async () => {
    await run();
    machines.calls.length = 0;
    await host.files.write(LAB_FILE, `switch: {memory: 128M}\n${await host.files.readText(LAB_FILE)}`);
    await run();
    expect(machines.calls).toEqual(["stop right", "stop left", "stop switch", ...ALL_UP]);
  });

  it("restarts only the machine that has changed", async () => {
    await run();
    machines.calls.length = 0;
    await writeLab("{left: {kind: process}, right: {kind: process, stack: {config: {rcvbuf: 65536}}}}");
    await run();
    expect(machines.calls).toEqual(["stop right", "start right"]);
  });

  it("only tells when dry", async () => {
    const { actions } = await run(undefined, { dryRun: true });
    expect(actions.map(({ kind }) => kind)).toContain("start-machine");
    expect(machines.calls).toEqual([]);
    expect(left()).toEqual([]);
  });

  it("journals every action before and after", async () => {
    await run();
    const journal = await host.files.readText("/home/u/.local/state/vnflab/labs/pair/journal.jsonl");
    const entries = (journal ?? "")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(entries.slice(0, 3)).toMatchObject([
      { phase: "run", command: "up pair" },
      { phase: "begin", action: { kind: "start-switch" } },
      { phase: "done", action: { kind: "start-switch" } },
    ]);
    expect(entries).toHaveLength(1 + 2 * 10);
  });

  it("stops all it can when one machine does not stop, and can be run again", async () => {
    await run();
    machines.calls.length = 0;
    machines.faults.set("right", { stops: 1 });
    await expect(down(context, "pair")).rejects.toMatchObject({ code: "VNF_CLEANUP" });
    expect(machines.calls).toEqual(["stop right", "stop left", "stop switch"]);
    await down(context, "pair");
    expect(left()).toEqual([]);
  });
});

describe("what fails", () => {
  const kvm = new VnflabError("VNF_KVM_UNUSABLE", "/dev/kvm does not work");
  it.each<[string, string, () => unknown, string | RegExp]>([
    ["a bad lab file", "VNF_LAB_INVALID", () => writeLab("{left: {cpu: 1}}"), 'did you mean "cpus"?'],
    ["no lab file", "VNF_LAB_INVALID", () => host.files.remove("/labs"), "there is no lab file /labs/lab.yaml"],
    [
      "too little memory",
      "VNF_RESOURCES",
      () => writeLab("{left: {memory: 99G, kind: process, hugepages: 90G}}"),
      "needs",
    ],
    ["no QEMU", "VNF_TOOL_MISSING", () => writeLab("{vm: {}}"), "qemu-system-x86_64 is not installed"],
    ["no image", "VNF_NOT_BUILT", () => installQemu("{vm: {}}"), "build/images/guest/current/manifest.json"],
    ["no KVM", "VNF_KVM_UNUSABLE", () => refuseKvm(), "/dev/kvm does not work"],
    [
      "a switch that does not start",
      "VNF_SWITCH_FAILED",
      () => Object.assign(sw.faults, { start: new VnflabError("VNF_SWITCH_FAILED", "no") }),
      "no",
    ],
    [
      "a port in use",
      "VNF_PORT_IN_USE",
      () => Object.assign(sw.faults, { connect: new VnflabError("VNF_PORT_IN_USE", "in use") }),
      "in use",
    ],
    [
      "a machine that does not start",
      "VNF_LIBVIRT",
      () => machines.faults.set("right", { start: new VnflabError("VNF_LIBVIRT", "refused") }),
      "refused",
    ],
    [
      "a guest that does not boot",
      "VNF_NOT_READY",
      () => machines.faults.set("left", { rung: "agent" }),
      'left: the rung "agent" was not reached in 120 s; last seen: no agent',
    ],
    ["a guest that dies", "VNF_MACHINE_FAILED", () => machines.faults.set("left", { dies: "init" }), "left has died"],
    [
      "a link that stays down",
      "VNF_NOT_READY",
      () => Object.assign(sw, { linkUp: false }),
      'the rung "link" was not reached in 90 s',
    ],
    [
      "an application that ends at once",
      "VNF_MACHINE_FAILED",
      () =>
        host.exec.install("tcp_sink", ({ print }) => {
          print("stderr", "no port\n");
          return 2;
        }),
      "tcp_sink on left ended with exit code 2",
    ],
  ])("%s", async (_what, code, arrange, message) => {
    await arrange();
    const failure = await run().then(
      () => undefined,
      (error: unknown) => error as VnflabError,
    );
    expect(failure).toMatchObject({ code, message: expect.stringContaining(message as string) });
    expect(left()).toEqual([]);
    expect(host.exec.running()).toEqual([]);
    expect([...machines.machines]).toEqual([]);
    expect(sw.status).toBe("absent");
  });

  async function installQemu(list: string): Promise<void> {
    host.exec.install("qemu-system-x86_64", () => 0);
    await writeLab(list);
  }

  async function refuseKvm(): Promise<void> {
    await installQemu("{vm: {accelerator: kvm}}");
    context = { ...context, accelerator: () => Promise.reject(kvm) };
  }

  it("a switch that dies while the machines boot is told at once, with its log", async () => {
    machines.faults.set("left", { rung: "agent" });
    context = {
      ...context,
      emit: (event) => {
        if (event.type === "rung-reached" && event.rung === "console") sw.status = "dead";
      },
    };
    const started = host.clock.now();
    await expect(run()).rejects.toMatchObject({ code: "VNF_SWITCH_FAILED", log: { lines: ["serving"] } });
    expect(host.clock.now() - started).toBeLessThan(60_000);
    expect(left()).toEqual([]);
  });

  it("tells the last console lines of a guest that does not boot, and keeps the logs", async () => {
    machines.faults.set("left", { rung: "agent" });
    await expect(run()).rejects.toMatchObject({ log: { lines: ["left boots"] } });
    const kept = "/home/u/.local/state/vnflab/failed/pair/left.console.log";
    expect(await host.files.readText(kept)).toBe("left boots\n");
    expect(events.at(-1)).toMatchObject({ type: "action-done" });
  });

  it("an interruption takes all down and is told as one", async () => {
    machines.faults.set("left", { rung: "agent" });
    const abort = new AbortController();
    context = {
      ...context,
      emit: (event) => {
        if (event.type === "rung-reached") abort.abort(new VnflabError("VNF_INTERRUPTED", "interrupted by SIGINT"));
      },
    };
    await expect(run(undefined, { signal: abort.signal })).rejects.toMatchObject({ code: "VNF_INTERRUPTED" });
    expect(machines.calls).toEqual([...ALL_UP, ...ALL_DOWN]);
    expect(left()).toEqual([]);
  });

  it("a lab of the same name from another file is left alone", async () => {
    await run();
    await host.files.write("/labs/other.yaml", "name: pair\nmachines: {x: {kind: process}}");
    await expect(run("/labs/other.yaml")).rejects.toMatchObject({ code: "VNF_LAB_EXISTS" });
    expect(await labStatus(context, "pair")).toMatchObject({ running: true });
  });

  it("an unknown lab", async () => {
    await expect(down(context, "nobody")).rejects.toMatchObject({ code: "VNF_LAB_UNKNOWN" });
    await expect(labStatus(context, "nobody")).rejects.toMatchObject({ code: "VNF_LAB_UNKNOWN" });
  });
});

describe("an up of a running lab that fails", () => {
  const THREE = "{left: {kind: process}, right: {kind: process}, third: {kind: process}}";
  const refused = new VnflabError("VNF_LIBVIRT", "refused");
  const labDir = "/home/u/.local/state/vnflab/labs/pair";
  const presences = async () => (await labStatus(context, "pair")).machines.map(({ name, status }) => [name, status]);
  const BOTH = [
    ["left", "running"],
    ["right", "running"],
  ];

  beforeEach(async () => {
    await run();
    machines.calls.length = 0;
  });

  it("takes the new machine away again, and leaves the others and their links as they were", async () => {
    const before = await host.files.readText(`${labDir}/lab.json`);
    await writeLab(THREE);
    machines.faults.set("third", { rung: "agent" });
    await expect(run()).rejects.toMatchObject({ code: "VNF_NOT_READY" });
    expect(machines.calls).toEqual(["connect ports", "start third", "stop third", "connect ports"]);
    expect(await presences()).toEqual(BOTH);
    expect(await host.files.readText(`${labDir}/lab.json`)).toBe(before);
    expect(await host.files.kind(`${labDir}/third`)).toBeUndefined();
    expect(await host.files.readText("/home/u/.local/state/vnflab/failed/pair/third.console.log")).toBe(
      "third boots\n",
    );
    expect(events.at(-1)).toMatchObject({ text: "left, right of lab pair run on as before" });
    machines.faults.clear();
    machines.calls.length = 0;
    await run();
    expect(machines.calls).toEqual(["connect ports", "start third"]);
    await down(context, "pair");
    expect(left()).toEqual([]);
  });

  it("that is interrupted, too", async () => {
    await writeLab(THREE);
    machines.faults.set("third", { rung: "agent" });
    const abort = new AbortController();
    context = {
      ...context,
      emit: (event) => {
        if (event.type === "rung-reached") abort.abort(new VnflabError("VNF_INTERRUPTED", "interrupted by SIGINT"));
      },
    };
    await expect(run(undefined, { signal: abort.signal })).rejects.toMatchObject({ code: "VNF_INTERRUPTED" });
    expect(await presences()).toEqual(BOTH);
  });

  it("leaves a machine that does not come back out, and the other one alone", async () => {
    machines.machines.set("right", "dead");
    machines.faults.set("right", { start: refused });
    await expect(run()).rejects.toMatchObject({ code: "VNF_LIBVIRT" });
    expect(machines.calls).toEqual(["stop right", "start right", "stop right"]);
    expect(await presences()).toEqual([
      ["left", "running"],
      ["right", "absent"],
    ]);
    machines.faults.clear();
    await run();
    expect(await presences()).toEqual(BOTH);
  });

  it("clears a switch away that died meanwhile", async () => {
    await writeLab(THREE);
    machines.faults.set("third", { rung: "agent" });
    context = {
      ...context,
      emit: (event) => {
        if (event.type === "rung-reached" && event.rung === "console") sw.status = "dead";
      },
    };
    await expect(run()).rejects.toMatchObject({ code: "VNF_SWITCH_FAILED" });
    expect(machines.calls).toEqual(["connect ports", "start third", "stop third", "stop switch"]);
    expect(await presences()).toEqual(BOTH);
  });

  it("says what it could not undo, and the next one mends it", async () => {
    await writeLab(THREE);
    machines.faults.set("third", { start: refused, stops: 1 });
    await expect(run()).rejects.toMatchObject({ code: "VNF_LIBVIRT" });
    expect(events.at(-1)).toMatchObject({ type: "note", text: expect.stringContaining("could not be undone") });
    machines.faults.clear();
    await run();
    expect(await presences()).toEqual([...BOTH, ["third", "running"]]);
  });
});
