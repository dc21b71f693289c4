import { beforeEach, describe, expect, it } from "vitest";
import { fakeHost } from "../host/fake-host.js";
import { VnflabError } from "../model/error.js";
import { pauseOrResume, reset } from "./control.js";
import { type FakeEngine, fakeEngine, LAB_FILE } from "./fake-engine.js";
import { Lab } from "./lab.js";
import { listSnapshots, removeSnapshot, restoreSnapshot, saveSnapshot } from "./snapshot.js";
import { up } from "./up.js";

const signal = new AbortController().signal;
let engine: FakeEngine;

beforeEach(async () => {
  engine = await fakeEngine();
  await up(engine.context, LAB_FILE, { signal });
  engine.machines.calls.length = 0;
});

describe("machines of a lab", () => {
  it("pause and go on, all or some of them", async () => {
    expect(await pauseOrResume(engine.context, "pair", "pause", undefined)).toEqual(["left", "right"]);
    expect([...engine.machines.paused]).toEqual(["left", "right"]);
    expect(await pauseOrResume(engine.context, "pair", "resume", ["right", "right"])).toEqual(["right"]);
    expect([...engine.machines.paused]).toEqual(["left"]);
  });

  it("are reset and as ready as after up", async () => {
    const lab = await Lab.open(engine.context, "pair");
    await lab.machine("left").putFile("/mark", new Uint8Array([1]));
    expect(await reset(engine.context, "pair", ["left"], signal)).toEqual(["left"]);
    await expect(lab.machine("left").getFile("/mark")).rejects.toMatchObject({ code: "VNF_GUEST_COMMAND" });
    expect(await lab.machine("left").getFile(lab.machine("left").stackConf)).not.toHaveLength(0);
    expect(engine.events.filter(({ type }) => type === "rung-reached").length).toBeGreaterThan(5);
  });

  it("that do not run are not reset, and nobody else is", async () => {
    engine.machines.machines.set("right", "dead");
    await expect(reset(engine.context, "pair", undefined, signal)).rejects.toMatchObject({ code: "VNF_GUEST_COMMAND" });
    expect(engine.machines.calls).toEqual([]);
  });

  it("are told with a suggestion when there is none of that name", async () => {
    await expect(pauseOrResume(engine.context, "pair", "pause", ["lefft"])).rejects.toMatchObject({
      code: "VNF_LAB_UNKNOWN",
      message: 'lab "pair" has no machine "lefft" (did you mean "left"?); it has left, right',
    });
    await expect(Lab.open(engine.context, "pairs")).rejects.toThrow('(did you mean "pair"?)');
  });
});

describe("a snapshot", () => {
  const put = async (text: string) =>
    (await Lab.open(engine.context, "pair")).machine("left").putFile("/mark", new TextEncoder().encode(text));
  const get = async () =>
    Buffer.from(await (await Lab.open(engine.context, "pair")).machine("left").getFile("/mark")).toString();

  it("is saved while all stand still, listed, restored and removed", async () => {
    await put("before");
    const snapshot = await saveSnapshot(engine.context, "pair", "one", undefined);
    expect(snapshot.machines).toMatchObject([{ name: "left" }, { name: "right" }]);
    expect(engine.machines.calls).toEqual([
      ...["pause left", "pause right", "save left", "save right", "restore left", "restore right"],
    ]);
    expect(engine.machines.paused.size).toBe(0);
    await put("after");
    await restoreSnapshot(engine.context, "pair", "one");
    expect(await get()).toBe("before");
    expect((await listSnapshots(engine.context, "pair")).map(({ name }) => name)).toEqual(["one"]);
    await removeSnapshot(engine.context, "pair", "one");
    expect(await listSnapshots(engine.context, "pair")).toEqual([]);
  });

  it("is kept where the machines are", async () => {
    const there = fakeHost();
    const context = {
      ...engine.context,
      hostOf: () => ({ ...there, async prepare() {}, async release() {}, async connected() {} }),
    };
    const own = engine.host.files.paths();
    const snapshots = () => there.files.paths().filter((path) => path.endsWith("/snapshots/one/snapshot.json"));
    // The fake driver writes what it saves to its own host.
    const kept = () => engine.host.files.paths().filter((path) => !path.endsWith(".state"));
    await saveSnapshot(context, "pair", "one", undefined);
    expect(snapshots()).toHaveLength(1);
    expect((await listSnapshots(context, "pair")).map(({ name }) => name)).toEqual(["one"]);
    await removeSnapshot(context, "pair", "one");
    expect(snapshots()).toEqual([]);
    expect(kept()).toEqual(own);
  });

  it("that fails leaves the machines running and no snapshot", async () => {
    const { control } = engine.machines;
    const save = control.save.bind(control);
    control.save = async (spec, file) => {
      if (spec.machine === "right") throw new VnflabError("VNF_UNSUPPORTED", "right cannot be saved");
      return save(spec, file);
    };
    await put("kept");
    await expect(saveSnapshot(engine.context, "pair", "one", undefined)).rejects.toMatchObject({
      code: "VNF_UNSUPPORTED",
    });
    expect(engine.machines.machines.get("left")).toBe("running");
    expect(engine.machines.paused.size).toBe(0);
    expect(await get()).toBe("kept");
    expect(await listSnapshots(engine.context, "pair")).toEqual([]);
    expect(engine.left().filter((path) => path.includes("snapshots"))).toEqual([]);
  });

  it("is refused by a name that is taken, unknown, or of another version of the lab", async () => {
    await saveSnapshot(engine.context, "pair", "one", ["left"]);
    const code = { code: "VNF_SNAPSHOT" };
    await expect(saveSnapshot(engine.context, "pair", "one", undefined)).rejects.toMatchObject(code);
    await expect(saveSnapshot(engine.context, "pair", "../x", undefined)).rejects.toMatchObject({ code: "VNF_USAGE" });
    await expect(restoreSnapshot(engine.context, "pair", "onee")).rejects.toMatchObject({
      ...code,
      message: expect.stringContaining('did you mean "one"'),
    });
    const file = engine.left().find((path) => path.endsWith("snapshot.json")) ?? "";
    const text = (await engine.host.files.readText(file)) ?? "";
    await engine.host.files.write(file, text.replace(/"fingerprint": "\w/, '"fingerprint": "x'));
    await expect(restoreSnapshot(engine.context, "pair", "one")).rejects.toMatchObject(code);
  });
});
