/** What guests and captures notice when the switch or a guest goes and comes back. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ProcessPromise } from "zx";
import { framesOf } from "../../support/capture.js";
import { FOR_VMS, upForAllTests } from "../../support/lab-hooks.js";
import { failures, parseReport } from "../../support/report.js";
import { missing, Vnflab } from "../../support/vnflab.js";

const LAB = "lab/examples/two-vms/lab.yaml";
const NAME = "two-vms";
/** A part of the suites that is over soon and goes both ways. */
const SUITE = ["tcp.link", "tcp.bulk", "tcp.connections", "udp.echo"];
const SINK = "169.254.9.3";
const RECOVERY_MS = 3000;
const PATIENCE_MS = 120_000;
const reason = missing(FOR_VMS) ?? (existsSync("/usr/bin/tshark") ? undefined : "needs /usr/bin/tshark");

interface Port {
  readonly name: string;
  readonly linkUp: boolean;
  readonly received: number;
  readonly sent: number;
}

interface Status {
  readonly running: boolean;
  readonly switch: { readonly pid: number };
  readonly machines: readonly { readonly name: string; readonly status: string; readonly port: Port }[];
}

interface Sample {
  readonly time: string;
  readonly ports: readonly { readonly name: string; readonly received: number; readonly sent: number }[];
}

describe.skipIf(reason)(`the switch under two virtual machines${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  /** Its exit code is 1 while a machine is away, which some of the tests wait for. */
  const status = async () => JSON.parse((await vnflab.command("status", NAME, "--json")).stdout) as Status;
  const portOf = async (machine: string) => (await status()).machines.find(({ name }) => name === machine)?.port;
  const app = (machine: string, name: string, ...argv: string[]) => {
    const conf = ["-f", "/run/vnflab/stack.conf"];
    return vnflab.start(["exec", NAME, machine, "--", `/opt/vnflab/bin/${name}`, ...argv, ...conf, "--json"]);
  };
  const until = async (what: string, holds: () => Promise<boolean>) => {
    for (const deadline = Date.now() + PATIENCE_MS; !(await holds()); ) {
      if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
    }
  };
  /** Resolves when the output has these words. */
  const said = async (running: ProcessPromise, words: string) => {
    let seen = "";
    running.stdout.on("data", (chunk) => {
      seen += chunk;
    });
    const { exitCode } = running;
    const ended = exitCode.then(() => true);
    await until(words, async () => seen.includes(words) || Promise.race([ended, pause()]));
    expect(seen).toContain(words);
  };
  const stop = async (running: ProcessPromise, signal: "SIGINT" | "SIGTERM" | "SIGKILL" = "SIGINT") => {
    // It may have come to its own end.
    if (running.child?.exitCode === null) running.child.kill(signal);
    return running;
  };

  upForAllTests(vnflab, LAB);

  it("a capture of the link during the suite opens in tshark, both directions in the order of time", async () => {
    const file = join(vnflab.folder, "lan.pcapng");
    const capture = vnflab.start(["capture", NAME, "lan", "-w", file]);
    const { stdout, stderr } = await vnflab.command("test", NAME, "--case", ...SUITE, "--quick", "--json");
    const { exitCode, stderr: told } = await stop(capture);
    expect(exitCode, told).toBe(0);
    const report = parseReport(stdout || "{}");
    expect(failures(report), stderr).toEqual([]);
    const frames = await framesOf(file);
    expect(frames.length).toBeGreaterThan(1000);
    expect(new Set(frames.map(({ port }) => port))).toEqual(new Set(["vm1", "vm2"]));
    expect(new Set(frames.map(({ source }) => source))).toEqual(new Set(["02:00:00:00:00:01", "02:00:00:00:00:02"]));
    const backwards = frames.filter(({ time }, i) => i > 0 && time < (frames[i - 1]?.time ?? 0n));
    expect(backwards).toEqual([]);
    expect(captureTraces()).toEqual([]);
  });

  it("a capture of a machine ends after so many frames, has both directions, and its reader may die", async () => {
    const sink = app("vm2", "udp_sink", "-l", "9000", "--echo", "-t", "60");
    await said(sink, '"event":"listening"');
    const source = app("vm1", "udp_source", "-a", SINK, "-p", "9000", "-t", "30", "-r", "200", "--echo");
    const file = join(vnflab.folder, "vm2.pcapng");
    const { stderr } = await vnflab.must("capture", NAME, "vm2", "-w", file, "--count", "200");
    expect(stderr).toContain("200 frames at vm2");
    const frames = await framesOf(file);
    expect(frames).toHaveLength(200);
    expect(new Set(frames.map(({ direction }) => direction))).toEqual(new Set([1, 2]));

    const doomed = vnflab.start(["capture", NAME, "vm2"]);
    await new Promise((resolve) => doomed.stdout.once("data", resolve));
    await stop(doomed, "SIGKILL");
    await until("the switch removes the hooks of a dead reader", async () => {
      const { stdout } = await vnflab.must("logs", NAME, "switch");
      return stdout.includes("removed a hook whose reader has gone: in_vm2_0: ogate '0': vnflab-");
    });
    expect(captureTraces()).toEqual([]);
    await stop(source);
    await stop(sink);
  });

  it("a switch that was killed and started again has the guests' traffic within 3 s, and they do nothing for it", async () => {
    const sink = app("vm2", "udp_sink", "-l", "9000", "-t", "120");
    await said(sink, '"event":"listening"');
    const source = app("vm1", "udp_source", "-a", SINK, "-p", "9000", "-t", "180", "-r", "500", "-s", "200");
    await until("traffic", async () => ((await portOf("vm2"))?.sent ?? 0) > 500);
    const before = await status();

    const top = vnflab.start(["top", NAME, "--json", "--interval", "0.1"]);
    const samples: Sample[] = [];
    top.stdout.on("data", (chunk) => {
      for (const line of String(chunk).split("\n")) if (line.endsWith("}")) samples.push(JSON.parse(line));
    });
    await until("a first look", async () => {
      await pause();
      return samples.length > 0;
    });
    process.kill(before.switch.pid, "SIGKILL");
    const { stdout } = await vnflab.must("up", LAB, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ lab: NAME });
    const restarted = Date.parse(await servingSince());
    const arrived = ({ time, ports }: Sample) =>
      Date.parse(time) > restarted && ports.some(({ name, sent }) => name === "vm2" && sent > 0);
    await until("traffic through the new switch", async () => {
      await pause();
      return samples.some(arrived);
    });
    const recovered = Date.parse(samples.find(arrived)?.time ?? "") - restarted;
    await stop(top);
    console.log(`traffic flowed ${recovered} ms after the new switch served its control socket`);

    const after = await status();
    expect(after.switch.pid).not.toBe(before.switch.pid);
    expect(after.machines.map(({ status: state }) => state)).toEqual(["running", "running"]);
    expect(after.machines.every(({ port }) => port.linkUp)).toBe(true);
    expect(recovered).toBeLessThan(RECOVERY_MS);
    await stop(source, "SIGTERM");
    const { stdout: counted } = await stop(sink, "SIGTERM");
    expect(counted).toContain('"corrupt":0');
  });

  it("a guest that is reset during traffic disturbs neither the other nor the switch, and comes back", async () => {
    const sink = app("vm2", "udp_sink", "-l", "9000", "-t", "300");
    await said(sink, '"event":"listening"');
    const source = app("vm1", "udp_source", "-a", SINK, "-p", "9000", "-t", "400", "-r", "500", "-s", "200");
    await until("traffic", async () => ((await portOf("vm2"))?.sent ?? 0) > 500);
    const before = await status();
    const reset = vnflab.start(["reset", NAME, "vm2"]);
    await until("the guest's link is gone", async () => (await portOf("vm2"))?.linkUp === false);
    const fromVm1 = (await portOf("vm1"))?.received ?? 0;
    await until("the other one goes on", async () => ((await portOf("vm1"))?.received ?? 0) > fromVm1 + 500);
    expect((await reset).exitCode).toBe(0);
    const again = app("vm2", "udp_sink", "-l", "9000", "-t", "300");
    await said(again, '"event":"listening"');
    const toVm2 = (await portOf("vm2"))?.sent ?? 0;
    await until("traffic to the guest", async () => ((await portOf("vm2"))?.sent ?? 0) > toVm2 + 500);
    const after = await status();
    expect(after.switch.pid).toBe(before.switch.pid);
    expect(after.running).toBe(true);
    for (const running of [source, again, sink]) await stop(running, "SIGKILL");
  });

  /** When the present switch began to serve, by its log. */
  async function servingSince(): Promise<string> {
    const { stdout } = await vnflab.must("logs", NAME, "switch");
    return [...stdout.matchAll(/^switch: (\S+) vportd info: serving /gm)].at(-1)?.[1] ?? "";
  }

  /** Pipes that captures have left in the lab's run folder. */
  function captureTraces(): string[] {
    const folders = readdirSync(vnflab.run).map((name) => join(vnflab.run, name));
    return folders.flatMap((folder) => readdirSync(folder)).filter((name) => name.startsWith("vnflab-"));
  }
});

function pause(): Promise<boolean> {
  return new Promise((resolve) => setTimeout(resolve, 20, false));
}
