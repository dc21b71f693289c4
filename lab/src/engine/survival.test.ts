/** Crashes, leftovers, several labs at once: over the fakes. */
import { beforeEach, describe, expect, it } from "vitest";
import { VnflabError } from "../model/error.js";
import { plannedDeployment } from "./claim-resources.js";
import { heldCores, planningLockFile, writeClaim } from "./claims.js";
import type { EngineContext } from "./context.js";
import { down, lockFile, lockLab } from "./down.js";
import { type FakeEngine, fakeEngine, LAB_FILE } from "./fake-engine.js";
import { upInForeground, watchLab } from "./foreground.js";
import { collectGarbage, type GcFinding } from "./gc.js";
import { loadTopology } from "./load-topology.js";
import { summariseLabs } from "./ls.js";
import { findRecord, type LabRecord, writeRecord } from "./record.js";
import { restart } from "./restart.js";
import { up } from "./up.js";

const signal = new AbortController().signal;
const SECOND = { settings: [{ path: ["name"], text: "second", origin: "--name second" }] };
const DAY_MS = 86_400_000;

let engine: FakeEngine;
let { host, machines, sw, left, context } = {} as FakeEngine;

beforeEach(async () => {
  engine = await fakeEngine();
  ({ host, machines, sw, left, context } = engine);
});

const run = (options = {}, from: EngineContext = context) => up(from, LAB_FILE, { signal, ...options });

async function gc(options = {}): Promise<GcFinding[]> {
  const findings: GcFinding[] = [];
  for await (const finding of collectGarbage(context, { dryRun: false, ...options })) findings.push(finding);
  return findings;
}

async function record(): Promise<LabRecord> {
  return (await findRecord(host.files, context.layout.lab("pair").stateDir)) as LabRecord;
}

/** The process of a switch that nobody has written down. */
async function stray(runDir: string): Promise<number> {
  let pid = 0;
  host.exec.install("vportd", async ({ signalled }) => {
    await new Promise((end) => signalled.addEventListener("abort", end));
    await host.files.remove(`/proc/${pid}`);
    return 143;
  });
  const { identity } = await host.exec.spawn(["vportd"]);
  pid = identity.pid;
  await host.files.write(`/proc/${pid}/stat`, `${pid} (node) S 1 ${"0 ".repeat(17)}${identity.startTicks} 0`);
  await host.files.write(`/proc/${pid}/cmdline`, "vportd\0");
  await host.files.write(`/proc/${pid}/environ`, `HOME=/\0VNFLAB_LAB=${runDir}\0`);
  return pid;
}

/** A crash at this moment: the command is gone, and nothing that it would have done afterwards is done. */
async function crashAt(moment: (text: string) => boolean): Promise<void> {
  const never = new Promise<void>(() => {});
  let crashed = () => {};
  const crash = new Promise<void>((resolve) => {
    crashed = resolve;
  });
  const { append } = host.files;
  host.files.append = async (path, text) => {
    await append.call(host.files, path, text);
    if (!moment(text)) return;
    crashed();
    await never;
  };
  void run();
  await crash;
  host.files.append = append;
  // The lock of a process that has ended.
  await host.files.write(lockFile(context, "pair"), JSON.stringify({ pid: 99, startTicks: 5, purpose: "vnflab up" }));
}

const STEPS = [
  '"phase":"run"',
  '"begin","action":{"kind":"start-switch',
  '"done","action":{"kind":"start-switch',
  '"begin","action":{"kind":"connect-ports',
  '"done","action":{"kind":"start-machine","machine":"right',
  '"done","action":{"kind":"check-link","machine":"left',
];

describe("a crash of up", () => {
  it.each(STEPS)("after %s: the next up makes it whole", async (step) => {
    await crashAt((text) => text.includes(step));
    const pid = await stray((await record())?.deployment.runDir ?? context.layout.lab("pair").runDir);
    await run();
    expect((await record()).phase).toBe("up");
    expect(host.exec.running().includes(pid)).toBe(step === STEPS[0]);
    expect(await summariseLabs(context)).toMatchObject([{ lab: "pair", state: "up", machines: { running: 2 } }]);
    await down(context, "pair");
    expect(left()).toEqual([]);
  });

  it.each(STEPS)("after %s: gc removes all of it", async (step) => {
    await crashAt((text) => text.includes(step));
    const pid = await stray(context.layout.lab("pair").runDir);
    expect(await summariseLabs(context)).toMatchObject([{ state: step === STEPS[0] ? "no record" : "interrupted" }]);
    expect(await gc({ dryRun: true })).toMatchObject([{ kind: "lab", name: "pair", removed: false }, { kind: "lock" }]);
    expect(await gc()).toMatchObject([{ kind: "lab", name: "pair", removed: true }]);
    expect(host.exec.running()).not.toContain(pid);
    expect(left()).toEqual([]);
    expect(await gc()).toEqual([]);
  });

  it("leaves alone what was up before it", async () => {
    await run();
    await engine.writeLab("{left: {kind: process}, right: {kind: process}, third: {kind: process}}");
    await crashAt((text) => text.includes('"done","action":{"kind":"start-machine","machine":"third'));
    machines.calls.length = 0;
    await run();
    expect(machines.calls).toEqual(["stop third", "start third"]);
  });
});

describe("gc", () => {
  it("leaves a running lab alone, and one that a command is at work on", async () => {
    await run();
    const pid = await stray(context.layout.lab("pair").runDir);
    expect(await gc()).toEqual([]);
    await writeRecord(host.files, { ...(await record()), phase: "changing" });
    await host.files.write(lockFile(context, "pair"), JSON.stringify({ pid: 1, startTicks: 1, purpose: "vnflab up" }));
    expect(await gc()).toEqual([]);
    expect(await summariseLabs(context)).toMatchObject([
      { state: "changing", owner: { pid: 1, purpose: "vnflab up" } },
    ]);
    expect(host.exec.running()).toContain(pid);
  });

  it("removes a lab of which nothing runs, and one whose owner has ended", async () => {
    await run();
    expect(await gc()).toMatchObject([{ kind: "lab", why: "nothing of it runs", removed: true }]);
    await run({ foreground: true });
    const { owner, ...rest } = await record();
    expect(owner).toEqual({ pid: 1, startTicks: 1 });
    await writeRecord(host.files, { ...rest, owner: { pid: 77, startTicks: 1 } });
    expect(await gc()).toMatchObject([{ why: "the command that it belonged to has ended" }]);
    expect(left()).toEqual([]);
  });

  it("a record that is cut short is told, and removed by gc and by down", async () => {
    for (const remove of [() => gc(), () => down(context, "pair")]) {
      await run();
      const file = `${context.layout.lab("pair").stateDir}/lab.json`;
      const text = (await host.files.readText(file)) ?? "";
      await host.files.write(file, text.slice(0, text.length / 2));
      await expect(run()).rejects.toMatchObject({ code: "VNF_RECORD_INVALID", message: expect.stringContaining(file) });
      expect(await summariseLabs(context)).toMatchObject([{ state: "no record" }]);
      await remove();
      expect(left()).toEqual([]);
      machines.machines.clear();
      sw.status = "absent";
    }
  });

  it("removes orphaned folders, processes, locks and old logs, and nothing of another state folder", async () => {
    const { runRoot, stateRoot } = context.layout;
    const { runDir } = context.layout.lab("gone");
    await host.files.putSocket(`${runDir}/bess.sock`);
    await host.files.putSocket(`${runRoot}/other-ffff/bess.sock`);
    await host.files.write(`${runRoot}/doctor-4242/libvirtd.log`, "");
    await host.files.write(`${stateRoot}/removing/half/lab.json`, "{}");
    await host.files.write(`${stateRoot}/locks/stale.lock`, JSON.stringify({ pid: 99, startTicks: 1, purpose: "up" }));
    await host.files.write(planningLockFile(context), "");
    await host.files.write(`${stateRoot}/failed/old/journal.jsonl`, '{"time":"2025-12-01T00:00:00Z"}\n');
    await host.files.write(`${stateRoot}/failed/new/journal.jsonl`, '{"time":"2025-12-31T00:00:00Z"}\n');
    const ours = await stray(context.layout.lab("lost").runDir);
    const foreign = await stray(`${runRoot}/alien-ffff`);
    const found = await gc({ logsOlderThanMs: 7 * DAY_MS });
    expect(found.every(({ removed }) => removed)).toBe(true);
    expect(found.map(({ kind }) => kind).sort()).toEqual(["folder", "folder", "folder", "lock", "logs", "processes"]);
    expect(host.exec.running()).toEqual([foreign]);
    expect(ours).not.toBe(foreign);
    expect(left().filter((path) => !path.startsWith("/proc"))).toEqual([`${runRoot}/other-ffff/bess.sock`]);
    expect(await host.files.list(`${stateRoot}/failed`)).toEqual(["new"]);
    expect(await gc()).toEqual([]);
  });

  it("tells what it could not remove", async () => {
    await run();
    machines.faults.set("left", { stops: 1 });
    expect(await gc()).toMatchObject([{ removed: false, error: expect.stringContaining("left does not stop") }]);
    expect(await gc()).toMatchObject([{ removed: true }]);
  });
});

describe("a lab in the foreground", () => {
  it("is guarded from before its first step, and goes when it is let go", async () => {
    {
      await using running = await upInForeground(context, LAB_FILE, { signal });
      expect(running.lab).toBe("pair");
      expect(machines.calls.slice(0, 2)).toEqual(["guard gc pair", "start switch"]);
      expect((await record()).owner).toEqual({ pid: 1, startTicks: 1 });
      machines.calls.length = 0;
    }
    expect(machines.calls.at(-1)).toBe("dismiss");
    expect(left()).toEqual([]);
  });

  it("that does not come up dismisses its guardian", async () => {
    machines.faults.set("left", { start: new VnflabError("VNF_LIBVIRT", "refused") });
    await expect(upInForeground(context, LAB_FILE, { signal })).rejects.toMatchObject({ code: "VNF_LIBVIRT" });
    expect(machines.calls.at(-1)).toBe("dismiss");
    expect(left()).toEqual([]);
  });

  it("tells what dies and what comes back until it is taken down", async () => {
    await run();
    const notes: string[] = [];
    const emit: EngineContext["emit"] = (event) => {
      if (event.type === "note") notes.push(event.text);
      if (notes.length === 1) machines.machines.set("left", "running");
      if (notes.length === 2) void down(context, "pair");
    };
    machines.machines.set("left", "dead");
    await watchLab({ ...context, emit }, "pair", signal);
    expect(notes.slice(0, 2)).toEqual(["left is dead: fake machine, dead", "left is running: fake machine, running"]);
  });

  it("gc of one lab leaves the others", async () => {
    await run();
    await run(SECOND);
    expect(await gc({ labs: ["second"] })).toMatchObject([{ kind: "lab", name: "second", removed: true }]);
    expect((await summariseLabs(context)).map(({ lab }) => lab)).toEqual(["pair"]);
  });
});

describe("several labs", () => {
  it("take cores that no other has while there are any, and say so when there are none", async () => {
    await run();
    await run(SECOND);
    const second = (await findRecord(host.files, context.layout.lab("second").stateDir)) as LabRecord;
    expect((await record()).deployment).toMatchObject({ switch: { core: 1 }, oversubscribed: false });
    expect(second.deployment).toMatchObject({ switch: { core: 1 }, oversubscribed: true });
    expect(engine.events).toContainEqual({
      type: "note",
      text: "core 1, 2, 3 held by lab pair: figures of both are not comparable",
    });
    // What the other holds does not move a lab that is up.
    machines.calls.length = 0;
    await run();
    await run(SECOND);
    expect(machines.calls).toEqual([]);
    await down(context, "pair");
    expect((await heldCores(context, "")).map(({ lab }) => lab)).toEqual(["second", "second", "second"]);
    await down(context, "second");
    expect(left()).toEqual([]);
  });

  it("one that is exclusive is refused while others hold what it needs, and others while it holds theirs", async () => {
    await run();
    const alone = { settings: [...SECOND.settings, { path: ["exclusive"], text: "true", origin: "--set" }] };
    await expect(run(alone)).rejects.toMatchObject({
      code: "VNF_RESOURCES",
      message: expect.stringContaining("held by lab pair; the lab is exclusive"),
    });
    await down(context, "pair");
    await run(alone);
    await expect(run()).rejects.toMatchObject({ message: expect.stringContaining("held by lab second alone") });
    await down(context, "second");
    expect(left()).toEqual([]);
  });

  it("do not count on hugepages that another one is about to take", async () => {
    const pages = [{ node: 0, sizeKib: 2048, free: 400 }];
    context = { ...context, facts: async () => ({ cores: [0, 1], availableMemoryMib: 8000, hugepages: pages }) };
    host.exec.install("qemu-system-x86_64", () => 0);
    await host.files.write("/labs/vms.yaml", "name: vms\nmachines: {vm: {memory: 512M}}\n");
    const topology = await loadTopology(context, "/labs/vms.yaml");
    const { runDir, stateDir } = context.layout.lab("pair");
    const lock = lockFile(context, "pair");
    await writeClaim(context, runDir, { lab: "pair", stateDir, lock, cores: [], hugepagesMib: 600 });
    const planned = async () => (await plannedDeployment(context, topology, undefined)).deployment.machines[0];
    expect(await planned()).toMatchObject({ hostHugepages: true });
    await using _lock = await lockLab(context, "pair", "up");
    expect(await planned()).toMatchObject({ hostHugepages: false });
    expect(engine.events.at(-1)).toMatchObject({ text: expect.stringContaining("hugepages held by lab pair") });
  });

  it("a lab that is refused holds nothing", async () => {
    await host.files.write(LAB_FILE, "name: pair\nmachines: {vm: {}}\n");
    await expect(run()).rejects.toMatchObject({ code: "VNF_TOOL_MISSING" });
    expect(left()).toEqual([]);
  });
});

describe("restart", () => {
  it("restarts one machine and leaves the others alone", async () => {
    await run();
    machines.calls.length = 0;
    await restart(context, "pair", ["right"], signal);
    expect(machines.calls).toEqual(["stop right", "start right"]);
    expect((await record()).phase).toBe("up");
  });

  it("needs a switch, a lab and a machine", async () => {
    await expect(restart(context, "pair", ["right"], signal)).rejects.toMatchObject({ code: "VNF_LAB_UNKNOWN" });
    await run();
    await expect(restart(context, "pair", ["x"], signal)).rejects.toMatchObject({ code: "VNF_LAB_UNKNOWN" });
    sw.status = "dead";
    await expect(restart(context, "pair", ["right"], signal)).rejects.toMatchObject({ code: "VNF_SWITCH_FAILED" });
  });

  it("that fails leaves the lab for up to mend", async () => {
    await run();
    machines.faults.set("right", { start: new VnflabError("VNF_LIBVIRT", "refused") });
    await expect(restart(context, "pair", ["right"], signal)).rejects.toMatchObject({ code: "VNF_LIBVIRT" });
    expect(await summariseLabs(context)).toMatchObject([{ state: "interrupted", machines: { running: 1, total: 2 } }]);
    machines.faults.clear();
    machines.calls.length = 0;
    await run();
    expect(machines.calls).toEqual(["start right"]);
  });
});
