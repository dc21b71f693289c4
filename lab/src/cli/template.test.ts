import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine } from "../engine/fake-engine.js";
import { runFake } from "./fake-io.js";

const FIXTURES = new URL("../render/template/fixtures/", import.meta.url);
const OLD = "/labs/old.xml";
const OURS = "/labs/ours.xml";
let engine: FakeEngine;

beforeEach(async () => {
  engine = await fakeEngine();
  const { exec, files } = engine.host;
  exec.install("qemu-system-x86_64", ({ print }) => {
    print(
      "stdout",
      "Supported machines are:\npc       Standard PC (alias of pc-i440fx-10.0)\nq35      Standard PC (alias)\n",
    );
    return 0;
  });
  await files.write(OLD, readFileSync(new URL("xenial-hugepages.xml", FIXTURES), "utf8"));
  await files.write(OURS, readFileSync(new URL("ours.xml", FIXTURES), "utf8"));
});

const vnflab = (...argv: string[]) => runFake(engine, argv);

describe("vnflab template", () => {
  it("lint says of a template that works what a lab sets in it", async () => {
    const { exitCode, out } = await vnflab("template", "lint", OURS);
    expect(out).toContain("a lab sets, whatever the file says:\n  line 3: <name> plain -> vnflab-LAB-MACHINE\n");
    expect(out).toContain("not checked against libvirt's schema");
    expect(out).toMatch(/can be used\n$/);
    expect(exitCode).toBe(0);
  });

  it("lint says of an old one what has to be mended, and migrate mends it", async () => {
    const before = await vnflab("template", "lint", OLD);
    expect(before.exitCode).toBe(1);
    expect(before.out).toContain("line 29: machine type pc-i440fx-xenial -> pc\n");
    expect(before.out).toMatch(/cannot be used as it is\n$/);
    const { exitCode, out } = await vnflab("template", "migrate", OLD, "-o", "/labs/new.xml");
    expect(exitCode).toBe(0);
    expect(out).toContain("line 54: <emulator> /usr/bin/kvm-spice -> /usr/bin/qemu-system-x86_64\n");
    expect(out).toContain("    to decide: Nothing, to boot the lab's image.");
    expect((await vnflab("template", "lint", "/labs/new.xml")).exitCode).toBe(0);
    const again = await vnflab("template", "migrate", "/labs/new.xml", "--json");
    expect(JSON.parse(again.out)).toMatchObject({
      schemaVersion: 1,
      changes: [],
      usable: true,
      xml: await engine.host.files.readText("/labs/new.xml"),
    });
  });

  it("migrate without -o prints the template alone on standard output", async () => {
    const { out, err } = await vnflab("template", "migrate", OLD);
    expect(out).toMatch(/^<!--[\s\S]+<\/domain>\n$/);
    expect(err).toContain("line 29: machine type");
    expect(engine.left()).toEqual([]);
  });

  it("a disk that is not there makes a template useless, and a relative one binds it to its folder", async () => {
    const disk = '<disk type="file" device="disk"><source file="own.img"/><target dev="vda" bus="virtio"/></disk>';
    const text = (await engine.host.files.readText(OURS)) ?? "";
    await engine.host.files.write("/labs/disk.xml", text.replace("<watchdog", `${disk}<watchdog`));
    const lint = await vnflab("template", "lint", "/labs/disk.xml");
    expect(lint).toMatchObject({ exitCode: 1, out: expect.stringContaining("there is no disk /labs/own.img") });
    await engine.host.files.write("/labs/own.img", "");
    expect((await vnflab("template", "lint", "/labs/disk.xml")).exitCode).toBe(0);
    const moved = await vnflab("template", "migrate", "/labs/disk.xml", "-o", "/elsewhere/disk.xml");
    expect(moved).toMatchObject({ exitCode: 2, err: expect.stringContaining("relative to its folder") });
  });

  it.each([
    [["lint", "/absent"], 4, "there is no template /absent"],
    [["lint"], 2, "missing required argument 'file'"],
    [["mend", OLD], 2, "unknown command 'mend'"],
  ])("%j ends with %d", async (argv, exitCode, message) => {
    const seen = await vnflab("template", ...argv);
    expect(seen).toMatchObject({ exitCode, err: expect.stringContaining(message) });
  });
});
