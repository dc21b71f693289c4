import { describe, expect, it } from "vitest";
import { fakeHost } from "../../host/fake-host.js";
import { LOCAL } from "../../model/place.js";
import type { VmSpec } from "../machine-driver.js";
import { installContractPrograms, machineDriverContract } from "../machine-driver-contract.js";
import { FakeLibvirt } from "./fake-libvirt.js";
import { LibvirtMachineDriver } from "./libvirt-machine-driver.js";

const signal = new AbortController().signal;
const spec: VmSpec = {
  kind: "vm",
  place: LOCAL,
  accelerator: "tcg",
  ...{ lab: "l", machine: "m", domainName: "vnflab-l-m", libvirtUri: "test:///x" },
  domainXml: "<domain><name>vnflab-l-m</name></domain>",
  ...{ stateDir: "/state/l/m", runDir: "/run/l", consoleLog: "/state/l/m/console.log" },
  ...{ binDir: "/opt/vnflab/bin", workDir: "/run/vnflab" },
  deadlinesMs: { running: 500, console: 500, agent: 500, init: 500, nic: 500 },
  macs: ["02:00:00:00:00:01"],
};

async function makeWorld() {
  const host = fakeHost();
  installContractPrograms(host);
  await host.files.write(spec.consoleLog, "booting\nvnflab: ready\n");
  const libvirt = new FakeLibvirt(host);
  const driver = new LibvirtMachineDriver(host, async () => libvirt);
  return { host, libvirt, driver, spec, async [Symbol.asyncDispose]() {} };
}

machineDriverContract("libvirt, on a fake libvirt", makeWorld);

describe("the libvirt driver", () => {
  async function started() {
    const world = await makeWorld();
    await world.driver.start(spec, signal);
    return world;
  }

  it("ends a guest whose agent answers by asking, and any other by force", async () => {
    const polite = await started();
    await polite.driver.stop(spec);
    expect(polite.libvirt.calls).toContain("shutdown vnflab-l-m");
    const deaf = await started();
    deaf.libvirt.guest("vnflab-l-m").answers = false;
    await deaf.driver.stop(spec);
    expect(deaf.libvirt.calls.slice(-2)).toEqual(["destroy vnflab-l-m", "undefine vnflab-l-m"]);
    expect(deaf.libvirt.domains.size).toBe(0);
  });

  it("leaves no definition behind when a guest does not start", async () => {
    const { driver, libvirt } = await makeWorld();
    libvirt.refusals.set("create", "Failed to connect to '/run/l/m.sock': No such file or directory");
    await expect(driver.start(spec, signal)).rejects.toMatchObject({ code: "VNF_LIBVIRT", hint: /switch must listen/ });
    expect(libvirt.domains.size).toBe(0);
  });

  it("does not start a guest whose NIC would wait for a switch that is not there", async () => {
    const { host, driver, libvirt } = await makeWorld();
    const nic = '<interface type="vhostuser"><source type="unix" path="/run/l/m.sock" mode="client"/></interface>';
    const wired = { ...spec, domainXml: spec.domainXml.replace("</domain>", `<devices>${nic}</devices></domain>`) };
    expect(wired.domainXml).not.toBe(spec.domainXml);
    const refused = { code: "VNF_SWITCH_FAILED", message: "m cannot start: nothing listens on /run/l/m.sock" };
    await expect(driver.start(wired, signal)).rejects.toMatchObject(refused);
    expect(libvirt.domains.size).toBe(0);
    host.sockets.listening.add("unix:/run/l/m.sock");
    await driver.start(wired, signal);
    expect(libvirt.domains.size).toBe(1);
  });

  it("defines one domain after the other, also when the first is refused", async () => {
    const { driver, libvirt } = await makeWorld();
    const call = libvirt.call.bind(libvirt);
    let [now, most, refused] = [0, 0, false];
    libvirt.call = (async (...args: Parameters<typeof call>) => {
      if (args[0] !== "define") return call(...args);
      most = Math.max(most, ++now);
      await new Promise(setImmediate);
      now--;
      if (refused) return call(...args);
      refused = true;
      throw new Error("no schema");
    }) as typeof call;
    const other = {
      ...spec,
      machine: "n",
      domainName: "vnflab-l-n",
      domainXml: spec.domainXml.replaceAll("l-m", "l-n"),
    };
    const starts = await Promise.allSettled([driver.start(spec, signal), driver.start(other, signal)]);
    expect(starts.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(most).toBe(1);
  });

  it("does not ask a libvirt that was never told of the machine, so that a wrong URI is no obstacle later", async () => {
    const host = fakeHost();
    const unreachable = new LibvirtMachineDriver(host, () => Promise.reject(new Error("unreachable")));
    await expect(unreachable.start(spec, signal)).rejects.toThrow("unreachable");
    expect((await unreachable.observe(spec)).status).toBe("absent");
    await unreachable.stop(spec);
  });

  it("leaves a domain of the same name alone when it is not the lab's", async () => {
    const { driver, libvirt } = await makeWorld();
    await libvirt.call("define", { xml: spec.domainXml });
    await expect(driver.start(spec, signal)).rejects.toMatchObject({ code: "VNF_LAB_EXISTS" });
    await driver.stop(spec);
    expect(libvirt.domains.size).toBe(1);
  });

  it("starts one libvirtd for machines that start at the same time", async () => {
    const host = { ...fakeHost(), uid: 1000 };
    let daemons = 0;
    host.exec.install("libvirtd", async ({ signalled }) => {
      daemons += 1;
      host.sockets.listening.add("unix:/run/l/v/libvirt-sock");
      await new Promise((resolve) => signalled.addEventListener("abort", resolve));
      return 0;
    });
    const driver = new LibvirtMachineDriver(host, async () => new FakeLibvirt(host));
    const { libvirtUri: _, ...own } = spec;
    const specs = ["vnflab-l-a", "vnflab-l-b"].map((domainName) => {
      return { ...own, domainName, domainXml: `<domain><name>${domainName}</name></domain>` };
    });
    await Promise.all(specs.map((each) => driver.start(each, signal)));
    expect(daemons).toBe(1);
  });

  it("tells a guest that died, with its console, to whoever waits for a command", async () => {
    const { driver, libvirt } = await started();
    const process = await driver.exec(spec, { argv: ["sleep", "60"] });
    libvirt.die("vnflab-l-m", { state: "crashed", reason: 1 });
    await expect(process.wait()).rejects.toMatchObject({
      code: "VNF_MACHINE_FAILED",
      message: "machine m has ended: domain crashed, its kernel panicked",
      log: { lines: ["booting", "vnflab: ready"] },
    });
    await expect(driver.getFile(spec, "/x")).rejects.toMatchObject({ code: "VNF_MACHINE_FAILED" });
    for (const rung of driver.rungs(spec)) {
      await expect(rung.probe(signal)).rejects.toMatchObject({ code: "VNF_MACHINE_FAILED" });
    }
  });

  it("waits for an agent that is silent for a while, and not forever", async () => {
    const { driver, libvirt } = await started();
    const guest = libvirt.guest("vnflab-l-m");
    const patient = await driver.exec(spec, { argv: ["printf", "%s", "x"] });
    guest.missed = 20;
    expect((await patient.wait()).stdout).toBe("x");
    const hopeless = await driver.exec(spec, { argv: ["sleep", "60"] });
    guest.answers = false;
    await expect(hopeless.wait()).rejects.toMatchObject({ code: "VNF_GUEST_COMMAND", message: /not connected/ });
  });

  it("waits for a paused guest as long as it takes, and is as patient as ever when it goes on", async () => {
    const { host, driver, libvirt } = await started();
    const process = await driver.exec(spec, { argv: ["printf", "%s", "x"] });
    const { clock } = host;
    const delay = clock.delay.bind(clock);
    let waited = 0;
    await driver.control.pause(spec);
    clock.delay = async (ms, signal) => {
      waited += ms;
      if (waited > 300_000 && libvirt.domains.get("vnflab-l-m")?.state.state === "paused") {
        await driver.control.resume(spec);
        // The agent takes a moment to be back.
        libvirt.guest("vnflab-l-m").missed = 20;
      }
      return delay(ms, signal);
    };
    expect((await process.wait()).stdout).toBe("x");
    expect(waited).toBeGreaterThan(300_000);
  });

  it("says what the guest's init complained about", async () => {
    const { driver, libvirt } = await started();
    const { files } = libvirt.guest("vnflab-l-m");
    files.delete("/run/vnflab/ready");
    const init = driver.rungs(spec).find(({ name }) => name === "init");
    expect(await init?.probe(signal)).toMatchObject({ reached: false, lastSeen: /last line: vnflab: ready/ });
    files.set("/run/vnflab/failed", Buffer.from('{"errors":["no payload disk","no memory"]}'));
    await expect(init?.probe(signal)).rejects.toMatchObject({
      code: "VNF_NOT_READY",
      message: "m: init failed: no payload disk; no memory",
    });
  });

  it("says how many NICs are bound", async () => {
    const { driver, libvirt } = await started();
    libvirt.guest("vnflab-l-m").files.set("/run/vnflab/ready", Buffer.from('{"uio":[]}'));
    const nic = driver.rungs(spec).find(({ name }) => name === "nic");
    await expect(nic?.probe(signal)).rejects.toMatchObject({ message: /0 of 1 NICs/ });
  });
});
