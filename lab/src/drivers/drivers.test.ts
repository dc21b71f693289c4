import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fakeHost } from "../host/fake-host.js";
import { FakePipes } from "../host/fake-pipes.js";
import { labMarks } from "../host/marked-processes.js";
import { hasEnded, parseProcStat } from "../host/proc-stat.js";
import { realHost } from "../host/real-host.js";
import { LOCAL } from "../model/place.js";
import type { BessControl } from "./bess/bess-control.js";
import { VportdSwitchDriver } from "./bess/vportd-switch-driver.js";
import { FakeMachineDriver } from "./fake/fake-machine-driver.js";
import type { ProcessSpec } from "./machine-driver.js";
import { installContractPrograms, machineDriverContract } from "./machine-driver-contract.js";
import { ProcessMachineDriver } from "./process/process-machine-driver.js";
import type { SwitchPortSpec, SwitchSpec } from "./switch-driver.js";

const deadlinesMs = { running: 500, console: 500, agent: 500, init: 500, nic: 500 };

function specIn(folder: string): ProcessSpec {
  const stateDir = join(folder, "m");
  const dirs = { stateDir, runDir: folder, consoleLog: join(stateDir, "console.log"), workDir: join(stateDir, "work") };
  return { kind: "process", place: LOCAL, lab: "l", machine: "m", binDir: "/bin", env: {}, deadlinesMs, ...dirs };
}

machineDriverContract("fake", async () => {
  const host = fakeHost();
  installContractPrograms(host);
  const driver = new FakeMachineDriver(host);
  return { driver, spec: specIn("/lab"), async [Symbol.asyncDispose]() {} };
});

machineDriverContract("process, on a fake host", async () => {
  const host = fakeHost();
  installContractPrograms(host);
  await host.files.makeDirectory("/bin");
  const driver = new ProcessMachineDriver(host);
  return { driver, spec: specIn("/lab"), async [Symbol.asyncDispose]() {} };
});

machineDriverContract("process", async () => {
  const folder = await mkdtemp(join(tmpdir(), "vnflab-driver-test-"));
  const driver = new ProcessMachineDriver(realHost());
  return { driver, spec: specIn(folder), [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
});

it("what a command leaves in the background ends with its process machine", async () => {
  const folder = await mkdtemp(join(tmpdir(), "vnflab-driver-test-"));
  const driver = new ProcessMachineDriver(realHost());
  const spec = { ...specIn(folder), env: labMarks(folder, "m") };
  try {
    await driver.start(spec);
    const command = await driver.exec(spec, { argv: ["sh", "-c", "sleep 600 & echo $!"] });
    const pid = Number((await command.wait()).stdout);
    const ended = async () => hasEnded(parseProcStat(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "X) X")));
    expect(await ended()).toBe(false);
    await driver.stop(spec);
    expect(await ended()).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("a process machine without applications says what to build", async () => {
  await expect(new ProcessMachineDriver(fakeHost()).start(specIn("/lab"))).rejects.toMatchObject({
    code: "VNF_NOT_BUILT",
  });
});

describe("the switch driver for vportd", () => {
  const signal = new AbortController().signal;
  const spec: SwitchSpec = {
    kind: "vportd",
    place: LOCAL,
    lab: "l",
    address: "unix:/run/l/bess.sock",
    core: 0,
    memoryMib: 256,
    hugepages: "off",
    filePrefix: "switch-1",
    stateDir: "/state/l",
    runDir: "/run/l",
    logFile: "/state/l/switch.log",
    links: [{ name: "lan", spread: "lanes" }],
    ports: [{ name: "a", link: "lan", socket: "/run/l/a.sock", queues: 1, macs: ["02:00:00:00:00:01"] }],
    deadlinesMs: { switch: 2000, ports: 1000 },
  };

  async function world(behaviour: "serves" | "ends" | "hangs" = "serves") {
    const host = fakeHost();
    await host.files.write("/repo/bess/switch/bin/vportd.js", "");
    host.exec.install("node", async ({ print, signalled }) => {
      print("stderr", "no memory for packets\n");
      if (behaviour === "ends") return 1;
      if (behaviour === "serves") host.sockets.listening.add(spec.address);
      await new Promise((resolve) => signalled.addEventListener("abort", resolve));
      return 0;
    });
    const calls: string[] = [];
    const control: BessControl = {
      version: async () => "vportd-1",
      forward: async ({ ports }) => {
        for (const { socket } of ports) host.files.putSocket(socket);
      },
      impair: async () => undefined,
      impairment: async () => ({ ports: [] }),
      portState: async (name) => ({ name, linkUp: true, received: 1, sent: 2, dropped: 0 }),
      beginCapture: async (fifo, name) => void calls.push(`begin ${name} ${await host.files.kind(fifo)}`),
      endCapture: async (name) => void calls.push(`end ${name}`),
      async [Symbol.asyncDispose]() {},
    };
    const connected = { control };
    const pipes = new FakePipes(host.files);
    return {
      host,
      connected,
      calls,
      pipes,
      driver: new VportdSwitchDriver(host, async () => connected.control, pipes),
    };
  }

  it("starts, connects, observes and stops", async () => {
    const { driver, host } = await world();
    expect((await driver.observe(spec)).status).toBe("absent");
    await driver.start(spec, signal);
    await driver.connect(spec, signal);
    expect(await driver.observe(spec)).toMatchObject({ status: "running", ports: [{ name: "a", linkUp: true }] });
    await driver.stop(spec);
    expect(host.exec.running()).toEqual([]);
    expect((await driver.observe(spec)).status).toBe("absent");
  });

  it("refuses more ports than a switch has, and to impair on a bessd, before anything happens", async () => {
    const { driver, host } = await world();
    const ports = Array.from({ length: 33 }, (_, n) => ({ ...spec.ports[0], name: `p${n}` }) as SwitchPortSpec);
    await expect(driver.start({ ...spec, ports }, signal)).rejects.toMatchObject({
      code: "VNF_SWITCH_PORTS",
      message: "a switch has 32 ports, this one needs 33",
    });
    await expect(driver.impair({ ...spec, kind: "bessd" }, "lan", undefined)).rejects.toMatchObject({
      code: "VNF_UNSUPPORTED",
    });
    expect(host.exec.running()).toEqual([]);
  });

  it("tells a switch that ends, with its log", async () => {
    const { driver } = await world("ends");
    await expect(driver.start(spec, signal)).rejects.toMatchObject({
      code: "VNF_SWITCH_FAILED",
      log: { lines: ["no memory for packets"] },
    });
    expect((await driver.observe(spec)).status).toBe("dead");
  });

  it("tells a switch that does not answer", async () => {
    const { driver } = await world("hangs");
    await expect(driver.start(spec, signal)).rejects.toMatchObject({
      code: "VNF_NOT_READY",
      message: "the switch is not ready after 2 s; last seen: nobody listens on unix:/run/l/bess.sock",
    });
  });

  it("tells a refused pipeline in the switch's words", async () => {
    const { driver, connected } = await world();
    await driver.start(spec, signal);
    const forward = () => Promise.reject(new Error("CreatePort: Cannot attach vdev (errno 19)"));
    connected.control = { ...connected.control, forward };
    await expect(driver.connect(spec, signal)).rejects.toMatchObject({
      code: "VNF_SWITCH_FAILED",
      message: "CreatePort: Cannot attach vdev (errno 19)",
    });
  });

  it("tells an address in use, removes a stale socket, and leaves a file alone", async () => {
    const { driver, host } = await world();
    host.sockets.listening.add(spec.address);
    await expect(driver.start(spec, signal)).rejects.toMatchObject({ code: "VNF_PORT_IN_USE" });
    host.sockets.listening.clear();
    await host.files.write("/run/l/a.sock", "precious");
    await expect(driver.start(spec, signal)).rejects.toMatchObject({
      code: "VNF_STALE_SOCKET",
      message: "/run/l/a.sock is a file, not a socket",
    });
    await host.files.remove("/run/l/a.sock");
    host.files.putSocket("/run/l/a.sock");
    await driver.start(spec, signal);
    expect(await host.files.kind("/run/l/a.sock")).toBeUndefined();
  });

  it("captures through a pipe whose name is gone as soon as both ends are open", async () => {
    const { driver, host, calls, pipes } = await world();
    await driver.start(spec, signal);
    const capture = await driver.capture(spec, [{ port: "a", sent: true }], signal);
    expect(calls).toEqual(["begin vnflab-1-1-0 file"]);
    expect(host.files.paths()).not.toContain("/run/l/vnflab-1-1-0");
    pipes.writers.get("/run/l/vnflab-1-1-0")?.end("content");
    let got = "";
    for await (const chunk of capture.content) got += Buffer.from(chunk).toString();
    expect(got).toBe("content");
    await capture.stop();
    expect(calls).toEqual(["begin vnflab-1-1-0 file", "end vnflab-1-1-0"]);
  });

  it("refuses to capture with a switch that cannot merge, and leaves no pipe", async () => {
    const { driver, connected, host, calls } = await world();
    await driver.start(spec, signal);
    connected.control = { ...connected.control, version: async () => "v1.2-bessd" };
    await expect(driver.capture(spec, [], signal)).rejects.toMatchObject({ code: "VNF_CAPTURE" });
    expect(calls).toEqual([]);
    expect(host.files.paths().filter((path) => path.startsWith("/run/l/vnflab-"))).toEqual([]);
  });

  it("tells what to build when the switch is not there", async () => {
    const driver = new VportdSwitchDriver(
      fakeHost(),
      () => Promise.reject(new Error("unreachable")),
      new FakePipes(fakeHost().files),
    );
    await expect(driver.start(spec, signal)).rejects.toMatchObject({ code: "VNF_NOT_BUILT" });
  });
});
