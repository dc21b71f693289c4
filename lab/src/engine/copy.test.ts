import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProcessMachineDriver } from "../drivers/process/process-machine-driver.js";
import { realHost } from "../host/real-host.js";
import { copy } from "./copy.js";
import { type FakeEngine, fakeEngine, LAB_FILE } from "./fake-engine.js";
import { Lab } from "./lab.js";
import { up } from "./up.js";

/** A lab by a fake engine, whose machines and whose host have real files and programs. */
let folder: string;
let engine: FakeEngine;
let lab: Lab;
let work: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "vnflab-copy-test-"));
  engine = await fakeEngine();
  await up(engine.context, LAB_FILE, { signal: new AbortController().signal });
  const host = realHost();
  const driver = new ProcessMachineDriver(host);
  const opened = await Lab.open(engine.context, "pair");
  const { stateDir } = opened.record.deployment;
  const moved = JSON.parse(JSON.stringify(opened.record).replaceAll(stateDir, join(folder, "lab")));
  const hostOf = () => ({ ...host, async prepare() {}, async release() {}, async connected() {} });
  lab = new Lab({ ...engine.context, host, hostOf, machineDriver: () => driver }, moved);
  for (const { spec } of lab.machines) await mkdir(spec.workDir, { recursive: true });
  work = lab.machine("left").spec.workDir;
});
afterEach(() => rm(folder, { recursive: true }));

describe("copying", () => {
  it("a file in and out keeps its content and mode, into a folder or to a new name", async () => {
    const source = join(folder, "tool");
    await writeFile(source, "#!/bin/sh\n".repeat(100_000));
    await chmod(source, 0o751);
    expect(await copy(lab, source, "left:")).toEqual({ kind: "file", bytes: 1_000_000, target: `left:${work}/tool` });
    expect((await stat(join(work, "tool"))).mode & 0o777).toBe(0o751);
    await copy(lab, "left:tool", join(folder, "back"));
    expect(await readFile(join(folder, "back"))).toEqual(await readFile(source));
    await copy(lab, "left:tool", "right:other");
    expect((await stat(join(lab.machine("right").spec.workDir, "other"))).size).toBe(1_000_000);
  });

  it("a folder goes as a whole, and into one that is there already", async () => {
    await mkdir(join(folder, "www/deep"), { recursive: true });
    await writeFile(join(folder, "www/deep/page"), "page");
    await copy(lab, join(folder, "www"), "left:");
    expect(await readFile(join(work, "www/deep/page"), "utf8")).toBe("page");
    await writeFile(join(work, "www/more"), "more");
    await copy(lab, join(folder, "www/"), `left:${work}`);
    expect((await readdir(join(work, "www"))).sort()).toEqual(["deep", "more"]);
    await copy(lab, "left:www", join(folder, "renamed"));
    expect((await readdir(join(folder, "renamed"))).sort()).toEqual(["deep", "more"]);
    expect((await readdir(work)).filter((name) => /\.part$|\.tar$/.test(name))).toEqual([]);
    expect((await readdir(join(folder, "lab"))).filter((name) => name.endsWith(".tar"))).toEqual([]);
  });

  it("what does not arrive leaves nothing, and the old file as it was", async () => {
    const source = join(folder, "big");
    await writeFile(source, "new");
    await writeFile(join(work, "big"), "old");
    const { files } = lab.context.host;
    const chunks = files.chunks.bind(files);
    files.chunks = async function* (path, from) {
      yield* chunks(path, from);
      throw Object.assign(new Error("EIO: read"), { code: "EACCES" });
    };
    await expect(copy(lab, source, "left:big")).rejects.toMatchObject({ code: "VNF_COPY", message: /EIO/ });
    expect(await readdir(work)).toEqual(["big"]);
    expect(await readFile(join(work, "big"), "utf8")).toBe("old");
  });

  it("refuses what is not there, and what is not between a machine and another place", async () => {
    await expect(copy(lab, join(folder, "absent"), "left:")).rejects.toMatchObject({ code: "VNF_COPY" });
    await expect(copy(lab, "left:absent", folder)).rejects.toMatchObject({ code: "VNF_COPY" });
    await writeFile(join(folder, "x"), "");
    await expect(copy(lab, join(folder, "x"), "left:/no/such/folder/x")).rejects.toMatchObject({
      code: "VNF_COPY",
      message: "there is no folder left:/no/such/folder",
    });
    await expect(copy(lab, join(folder, "x"), folder)).rejects.toMatchObject({ code: "VNF_USAGE" });
    await expect(copy(lab, join(folder, "x"), "lefd:")).rejects.toMatchObject({
      code: "VNF_LAB_UNKNOWN",
      message: expect.stringContaining('did you mean "left"'),
    });
  });
});
