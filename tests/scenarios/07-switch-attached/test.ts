/** Labs in a switch that is not theirs: vportd, started apart, plays the bessd; two labs share it. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FOR_PROCESSES } from "../../support/lab-hooks.js";
import { failures, parseReport } from "../../support/report.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const VPORTD = "bess/switch/bin/vportd.js";
const reason = missing([...FOR_PROCESSES, VPORTD]);

interface Status {
  readonly running: boolean;
  readonly switch: { readonly status: string; readonly detail: string };
  readonly machines: readonly { readonly port: { readonly name: string; readonly linkUp: boolean } }[];
}

describe.skipIf(reason)(`labs attached to a bessd${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  const address = `unix:${join(vnflab.folder, "b.sock")}`;
  let daemon: ChildProcess;

  beforeAll(async () => {
    vnflab.make();
    daemon = spawn(
      process.execPath,
      [join(REPOSITORY, VPORTD), "--listen", address, "--hugepages", "off", "--file-prefix", `apart-${process.pid}`],
      { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, RUNTIME_DIRECTORY: vnflab.folder } },
    );
    await new Promise<void>((resolve, reject) => {
      daemon.stderr?.on("data", (data) => String(data).includes("serving") && resolve());
      daemon.once("exit", (code) => reject(new Error(`vportd ended with ${code}`)));
    });
    for (const [lab, core] of [
      ["one", 0],
      ["two", 1],
    ]) {
      const machines = "{left: {kind: process}, right: {kind: process}}";
      const text = `name: ${lab}\nswitch: {kind: bessd, address: "${address}", core: ${core}}\nmachines: ${machines}\n`;
      writeFileSync(labFile(String(lab)), text);
    }
  });
  afterAll(async () => {
    await vnflab.downAll();
    const left = vnflab.leftovers();
    const ended = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill("SIGTERM");
    expect(await ended).toBe(0);
    vnflab.remove();
    expect(left).toEqual([]);
  });

  const labFile = (lab: string) => join(vnflab.folder, `${lab}.yaml`);
  const passes = async (lab: string) => {
    const { stdout, stderr } = await vnflab.command("test", lab, "--case", "tcp.link", "tcp.bulk", "--quick", "--json");
    expect(failures(parseReport(stdout || "{}")), stderr).toEqual([]);
  };

  it("share it: both pass, one goes without disturbing the other, and the daemon stays as it was", async () => {
    await vnflab.must("up", labFile("one"));
    await vnflab.must("up", labFile("two"));
    const status = await vnflab.json<Status>("status", "two");
    expect(status).toMatchObject({ running: true, switch: { status: "running" } });
    expect(status.switch.detail).toBe(`attached to the bessd at ${address}`);
    expect(status.machines.map(({ port }) => port.name)).toEqual(["left", "right"]);
    await passes("one");
    await passes("two");
    const file = join(vnflab.folder, "left.pcapng");
    const capture = vnflab.start(["capture", "one", "left", "-w", file]);
    await passes("one");
    process.kill(capture.pid as number, "SIGINT");
    expect((await capture).exitCode).toBe(0);
    expect(existsSync(file)).toBe(true);
    await vnflab.must("down", "two");
    await passes("one");
    // What was made before fits: nothing is done anew.
    expect(JSON.parse((await vnflab.must("up", labFile("one"), "--json")).stdout)).toMatchObject({ actions: [] });
    await vnflab.must("down", "one");
    expect(daemon.exitCode).toBeNull();
  });

  it("say what the matter is when nobody serves there", async () => {
    writeFileSync(
      labFile("nowhere"),
      'name: nowhere\nswitch: {kind: bessd, address: "127.0.0.1:9"}\nmachines: {m: {kind: process}}\n',
    );
    const { exitCode, stderr } = await vnflab.command("up", labFile("nowhere"));
    expect(exitCode, stderr).toBe(13);
    expect(stderr).toContain("no answer from the switch at 127.0.0.1:9");
  });
});
