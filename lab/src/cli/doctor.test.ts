import { beforeEach, describe, expect, it } from "vitest";
import { mend } from "../engine/doctor.js";
import { type FakeEngine, fakeEngine } from "../engine/fake-engine.js";
import type { Finding } from "../model/finding.js";
import { runFake } from "./fake-io.js";

interface Report {
  readonly schemaVersion: number;
  readonly findings: readonly Finding[];
  readonly mended?: readonly { readonly check: string; readonly ran: readonly unknown[]; readonly skipped?: string }[];
}

let engine: FakeEngine;
let ran: string[];

beforeEach(async () => {
  engine = await fakeEngine();
  ran = [];
  const { exec, files } = engine.host;
  await files.write("/proc/cpuinfo", "model name\t: A CPU\nflags\t\t: sse4_2 avx2\n");
  await files.write("/proc/self/status", "Cpus_allowed_list:\t0-3\n");
  await files.write("/proc/meminfo", "MemAvailable:   9000000 kB\n");
  exec.install("test", () => 0);
  exec.install("df", ({ print }) => {
    print("stdout", "head\n/dev/x 1 1 90000000 1% /\n");
    return 0;
  });
  exec.install("unshare", () => 0);
  exec.install("sudo", async ({ argv }) => {
    ran.push(argv.slice(1).join(" "));
    if (argv[1] === "modprobe") await files.write("/dev/net/tun", "");
    return argv[1] === "sysctl" ? 1 : 0;
  });
});

const tun = (findings: readonly Finding[]) => findings.find(({ check }) => check === "tun");

describe("vnflab doctor", () => {
  it("tells what it found, and ends with 1 when something that labs need is missing", async () => {
    const { exitCode, out } = await runFake(engine, ["doctor"]);
    expect(out).toContain("✘ dpdk: libdpdk is not installed\n    make setup\n");
    expect(out).toContain("! tun: no /dev/net/tun");
    expect(exitCode).toBe(1);
    expect(ran).toEqual([]);
  });

  it("--fix --yes runs what is safe, tells it, and looks again", async () => {
    const { out } = await runFake(engine, ["doctor", "--fix", "--yes", "--json"]);
    const { schemaVersion, findings, mended } = JSON.parse(out) as Report;
    expect(schemaVersion).toBe(1);
    expect(ran).toContain("modprobe tun");
    expect(tun(findings)).toEqual({ check: "tun", status: "ok", message: "/dev/net/tun is there" });
    expect(mended?.find(({ check }) => check === "tun")?.ran).toEqual([
      { argv: ["sudo", "modprobe", "tun"], exitCode: 0, stderr: "" },
    ]);
  });

  it("--fix stops at the first command that fails, and says so", async () => {
    const { out } = await runFake(engine, ["doctor", "--fix", "--yes"]);
    expect(out).toContain(
      "hugepages: ran sudo sysctl -w vm.nr_hugepages=512\n    exit code 1: \n! hugepages: none free",
    );
    expect(ran.filter((line) => line.startsWith("m"))).toEqual(["modprobe tun"]);
  });

  it("--fix asks, and does nothing when nobody can be asked", async () => {
    const { err } = await runFake(engine, ["doctor", "--fix"]);
    expect(err).toContain("tun: left alone, as nobody can be asked; --yes does it: sudo modprobe tun\n");
    expect(ran).toEqual([]);
    await runFake(engine, ["doctor", "--fix"], { enter: async () => {} });
    expect(ran).toContain("modprobe tun");
  });

  it("what needs root is left alone without a way to be root, and root needs no sudo", async () => {
    const host = engine.host;
    const finding: Finding = {
      ...{ check: "x", status: "warning", message: "" },
      fix: { commands: [["modprobe", "tun"]], needsRoot: true },
    };
    const { which } = host.exec;
    host.exec.which = async (name) => (name === "sudo" ? undefined : which.call(host.exec, name));
    expect(await mend(host, [], finding)).toMatchObject({ ran: [], skipped: "it needs root, and there is no sudo" });
    host.exec.install("modprobe", () => 0);
    expect((await mend({ ...host, uid: 0 }, [], finding)).ran).toMatchObject([
      { argv: ["modprobe", "tun"], exitCode: 0 },
    ]);
  });
});
