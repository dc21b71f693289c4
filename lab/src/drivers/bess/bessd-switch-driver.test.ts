import { beforeEach, expect, it } from "vitest";
import { type FakeHost, fakeHost } from "../../host/fake-host.js";
import { FakePipes } from "../../host/fake-pipes.js";
import { LOCAL } from "../../model/place.js";
import type { SwitchSpec } from "../switch-driver.js";
import type { BessdControl } from "./bessd-control.js";
import { BessdSwitchDriver } from "./bessd-switch-driver.js";

const signal = new AbortController().signal;
const spec: SwitchSpec = {
  kind: "bessd",
  place: LOCAL,
  lab: "l",
  address: "127.0.0.1:10514",
  core: 0,
  memoryMib: 256,
  hugepages: "off",
  filePrefix: "switch-1",
  stateDir: "/state/l",
  runDir: "/run/l-1a2b",
  logFile: "/state/l/switch.log",
  links: [{ name: "lan", spread: "lanes" }],
  ports: [{ name: "a", link: "lan", socket: "/run/l-1a2b/a.sock", queues: 1, macs: ["02:00:00:00:00:01"] }],
  deadlinesMs: { switch: 2000, ports: 1000 },
};

let host: FakeHost;
let calls: string[];
let there: string[];
let driver: BessdSwitchDriver;
let makesSockets: boolean;

beforeEach(() => {
  host = fakeHost();
  host.sockets.listening.add(spec.address);
  calls = [];
  there = ["other.a"];
  makesSockets = true;
  const control: BessdControl = {
    version: async () => "vportd-1",
    names: async (mark) => ({ ports: there.filter((name) => name.startsWith(`${mark}.`)), modules: [] }),
    freeWorker: async () => 3,
    async attach(mark, { ports }, wid) {
      calls.push(`attach ${mark} worker ${wid}`);
      there.push(...ports.map(({ name }) => `${mark}.${name}`));
      for (const { socket } of makesSockets ? ports : []) host.files.putSocket(socket);
    },
    async detach(mark, wid) {
      calls.push(`detach ${mark} worker ${wid}`);
      there = there.filter((name) => !name.startsWith(`${mark}.`));
    },
    async portState(name) {
      if (!there.includes(name)) throw new RangeError(`GetPortStats: No port '${name}' found (errno 2)`);
      return { name, linkUp: true, received: 1, sent: 2, dropped: 0 };
    },
    beginCapture: async (_fifo, _name, points) => void calls.push(`capture ${points.map(({ port }) => port)}`),
    endCapture: async () => void calls.push("end capture"),
    async [Symbol.asyncDispose]() {},
  };
  const connect = async (address: string) => {
    calls.push(`connect ${address}`);
    return control;
  };
  driver = new BessdSwitchDriver(host, connect, new FakePipes(host.files));
});

it("attaches under marked names, tells about ports by their own, and leaves what is not its own", async () => {
  expect((await driver.observe(spec)).status).toBe("absent");
  await driver.start(spec, signal);
  await driver.connect(spec, signal);
  expect(await driver.observe(spec)).toMatchObject({ status: "running", ports: [{ name: "a", received: 1 }] });
  expect(there).toEqual(["other.a", "l-1a2b.a"]);
  const capture = await driver.capture(spec, [{ port: "a", sent: true }], signal);
  await capture.stop();
  await driver.stop(spec);
  expect(calls).toContain("capture l-1a2b.a");
  expect(calls.filter((call) => call.startsWith("attach"))).toEqual(["attach l-1a2b worker 3"]);
  expect(there).toEqual(["other.a"]);
  expect((await driver.observe(spec)).status).toBe("absent");
});

it("talks to a daemon at another host by the address that leads there", async () => {
  host.sockets.here = async (address) => `unix:/tunnel/to/${address}`;
  await driver.start(spec, signal);
  expect(calls).toEqual(["connect unix:/tunnel/to/127.0.0.1:10514"]);
});

it("refuses a daemon that has its names already", async () => {
  there.push("l-1a2b.in_a_0", "l-1a2b.a");
  await expect(driver.start(spec, signal)).rejects.toMatchObject({
    code: "VNF_SWITCH_NAMES",
    message: 'the bessd at 127.0.0.1:10514 has "l-1a2b.in_a_0" already',
  });
  calls.length = 0;
  await driver.stop(spec);
  expect(calls).toEqual([]);
});

it("is dead when the daemon has lost its ports or is gone, and stops without it", async () => {
  await driver.start(spec, signal);
  await driver.connect(spec, signal);
  there = [];
  expect(await driver.observe(spec)).toMatchObject({ status: "dead", detail: expect.stringContaining("No port") });
  host.sockets.listening.clear();
  calls.length = 0;
  await driver.stop(spec);
  expect(calls).toEqual([]);
});

it("says when the daemon's sockets are not on this host", async () => {
  makesSockets = false;
  await driver.start(spec, signal);
  await expect(driver.connect(spec, signal)).rejects.toMatchObject({
    code: "VNF_NOT_READY",
    message: expect.stringContaining("no socket /run/l-1a2b/a.sock on this host"),
  });
});

it("has no impairments", async () => {
  await expect(driver.impair()).rejects.toMatchObject({ code: "VNF_UNSUPPORTED" });
});
