import { describe, expect, it } from "vitest";
import { parseLab } from "../model/parse-lab.js";
import { firstNic, type Topology } from "../model/topology.js";
import { type Action, describeAction } from "./action.js";
import { allocate, factsWithout, type HostFacts } from "./allocate.js";
import { type Desired, NOTHING, type Observed, type Presence, planDown, planRestart, planUp } from "./plan.js";
import { type JournalEntry, unfinished } from "./unfinished.js";

const facts: HostFacts = { cores: [0, 1, 2, 3], availableMemoryMib: 16_000 };
const dirs = { stateDir: "/state/labs/l", runDir: "/run/user/1000/vnflab/l-0000" };

function lab(machines: string, rest = ""): Topology {
  return parseLab(`name: l\n${rest}\nmachines: ${machines}`, "/x/lab.yaml");
}

describe("allocation", () => {
  it("fills what the file leaves open and never gives out what it names", () => {
    const { machines, switch: sw } = allocate(
      lab("{a: {}, b: {mac: '02:00:00:00:00:01', address: 169.254.9.1/24}, c: {kind: process, stack: {workers: 2}}}"),
      facts,
      dirs,
    );
    expect(machines.map(({ nics, cores }) => [nics[0]?.mac, nics[0]?.address, cores])).toEqual([
      ["02:00:00:00:00:02", "169.254.9.2/24", []],
      ["02:00:00:00:00:01", "169.254.9.1/24", []],
      ["02:00:00:00:00:03", "169.254.9.3/24", [2, 3]],
    ]);
    expect(sw.core).toBe(1);
  });

  it("gives each NIC a port and an address of its link, and makes addresses of the names in routes", () => {
    const chain = lab(
      `{client: {nics: [{link: left}], gateway: box},
        box: {nics: [{link: left}, {link: right, address: 10.7.0.9/16}], forwarding: true, routes: [{to: 10.8.0.7/16, via: [server, 10.7.1.1]}]},
        server: {nics: [{link: right}], routes: [{to: left, via: box}]}}`,
      "links: {left: {}, right: {subnet: 10.7.0.0/16}}",
    );
    const { machines, links } = allocate(chain, facts, dirs);
    expect(links.map(({ subnet }) => subnet)).toEqual(["10.9.0.0/24", "10.7.0.0/16"]);
    expect(machines.map(({ nics }) => nics.map(({ port, mac, address }) => [port, mac.slice(-2), address]))).toEqual([
      [["client", "01", "10.9.0.1/24"]],
      [
        ["box", "02", "10.9.0.2/24"],
        ["box.1", "03", "10.7.0.9/16"],
      ],
      [["server", "04", "10.7.0.1/16"]],
    ]);
    expect(machines[1]?.nics[1]?.socket).toBe(`${dirs.runDir}/box.1.sock`);
    expect(machines.map(({ routes }) => routes)).toEqual([
      [{ to: "0.0.0.0/0", via: ["10.9.0.2"], nic: 0 }],
      [{ to: "10.8.0.0/16", via: ["10.7.0.1", "10.7.1.1"], nic: 1 }],
      [{ to: "10.9.0.0/24", via: ["10.7.0.9"], nic: 0 }],
    ]);
  });

  it("numbers three hundred machines without a clash", () => {
    const many = Array.from({ length: 300 }, (_, i) => `m${i}: {kind: process, hugepages: 32M}`).join(", ");
    const { machines } = allocate(lab(`{${many}}`, "subnet: 10.1.0.0/16"), facts, dirs);
    expect(new Set(machines.map((machine) => firstNic(machine).mac)).size).toBe(300);
    expect(machines[299]?.nics).toMatchObject([{ mac: "02:00:00:00:01:2c", address: "10.1.1.44/16" }]);
  });

  it("puts virtual machines on the host's hugepages when all fit, and keeps to that while the lab is up", () => {
    const vms = lab("{a: {memory: 1G}, b: {memory: 512M}, c: {kind: process}}");
    const pages = (free: number) => ({ ...facts, hugepages: [{ node: 0, sizeKib: 2048, free }] });
    const onHugepages = (some: HostFacts) => allocate(vms, some, dirs).machines.map((machine) => machine.hostHugepages);
    expect(onHugepages(facts)).toEqual([false, false, false]);
    expect(onHugepages(pages(767))).toEqual([false, false, false]);
    // They are no part of the memory that is free.
    const tight = { ...pages(768), availableMemoryMib: 256 + 256 + 512 };
    expect(onHugepages(tight)).toEqual([true, true, false]);
    const taken = { ...pages(0), availableMemoryMib: 512 };
    expect(onHugepages(factsWithout(allocate(vms, tight, dirs), taken))).toEqual([true, true, false]);
    expect(onHugepages(factsWithout(allocate(vms, facts, dirs), pages(9999)))).toEqual([false, false, false]);
  });

  it("shares cores when there are too few, and says so", () => {
    const two = lab("{a: {kind: process}, b: {kind: process}}");
    expect(allocate(two, facts, dirs).oversubscribed).toBe(false);
    const crowded = allocate(two, { ...facts, cores: [4, 5] }, dirs);
    expect(crowded).toMatchObject({ oversubscribed: true, switch: { core: 4 } });
    expect(crowded.machines.map(({ cores }) => cores)).toEqual([[5], [5]]);
  });

  it.each([
    ["memory", lab("{a: {memory: 64G}}"), dirs, "VNF_RESOURCES", /needs 66304 MiB.*16000 MiB are free/],
    ["addresses", lab("{a: {}, b: {}, c: {}}", "subnet: 10.0.0.0/30"), dirs, "VNF_RESOURCES", /10.0.0.0\/30 .* for c/],
    ["path", lab("{a: {}}"), { ...dirs, runDir: `/${"x".repeat(120)}` }, "VNF_PATH_TOO_LONG", /128 bytes, 107 fit/],
  ])("refuses when there is not enough: %s", (_what, topology, where, code, message) => {
    expect(() => allocate(topology, facts, where)).toThrowError(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe("plan", () => {
  const sw = { process: "p1", wiring: "w1" };
  const desired: Desired = {
    switch: sw,
    machines: ["a", "b"].map((name) => ({ name, fingerprint: `${name}1`, reconnects: false })),
  };
  const reconnecting: Desired = {
    ...desired,
    machines: desired.machines.map((machine, index) => ({ ...machine, reconnects: index === 0 })),
  };
  const seen = (presence: Presence, name: string, fingerprint = `${name}1`) => ({ [name]: { presence, fingerprint } });
  const up: Observed = {
    switch: { presence: "running", fingerprints: sw },
    machines: { ...seen("running", "a"), ...seen("running", "b") },
  };
  const seenWith = (...machines: object[]): Observed => ({ ...up, machines: Object.assign({}, ...machines) });
  const doubt = (...entries: JournalEntry[]): Observed => ({ ...up, unfinished: unfinished(entries) });
  const dead: Observed = { ...up, switch: { presence: "dead", fingerprints: sw } };
  const start: Action = { kind: "start-machine", machine: "b" };
  const check: Action = { kind: "check-link", machine: "b" };
  const cases: [string, Observed, Desired?][] = [
    ["nothing runs", NOTHING],
    ["all runs as desired", up],
    ["one machine has died", seenWith(seen("running", "a"), seen("dead", "b"))],
    ["one machine was never started", seenWith(seen("absent", "a"), seen("running", "b"))],
    ["one machine has changed", seenWith(seen("running", "a"), seen("running", "b", "b0"))],
    [
      "one machine is new",
      { ...seenWith(seen("running", "a")), switch: { presence: "running", fingerprints: { ...sw, wiring: "w0" } } },
    ],
    [
      "one machine is gone from the file",
      {
        ...seenWith(seen("running", "a"), seen("running", "b"), seen("running", "c")),
        switch: { presence: "running", fingerprints: { ...sw, wiring: "w0" } },
      },
    ],
    ["the switch has died", dead],
    ["the switch has died, and a reconnects by itself", dead, reconnecting],
    [
      "the switch has changed, and a reconnects by itself",
      { ...up, switch: { presence: "running", fingerprints: { ...sw, process: "p0" } } },
      reconnecting,
    ],
    ["up was interrupted while b was starting", doubt({ phase: "begin", action: start })],
    [
      "up was interrupted when b was ready",
      doubt({ phase: "begin", action: start }, { phase: "begin", action: check }, { phase: "done", action: check }),
    ],
    [
      "up was interrupted while the switch was being wired",
      doubt({ phase: "done", action: { kind: "start-switch" } }),
      reconnecting,
    ],
  ];

  it("matches the golden file", async () => {
    const sections = cases.map(([title, observed, want = desired]) => [title, planUp(want, observed)] as const);
    const all = [...sections, ["restart b", planRestart(["b"])] as const, ["down", planDown(["a", "b"])] as const];
    const text = all.map(([title, plan]) => `# ${title}\n${plan.map((step) => `${describeAction(step)}\n`).join("")}`);
    await expect(text.join("\n")).toMatchFileSnapshot("golden/plans.txt");
  });
});

describe("what an interrupted command has left in doubt", () => {
  const begin = (action: Action): JournalEntry => ({ phase: "begin", action });
  const done = (action: Action): JournalEntry => ({ phase: "done", action });
  const failed = (action: Action): JournalEntry => ({ phase: "failed", action });
  const a = (kind: "start-machine" | "await-machine" | "check-link" | "stop-machine"): Action => ({
    kind,
    machine: "a",
  });
  const ports: Action = { kind: "connect-ports", machines: ["a"] };
  it.each<[string, JournalEntry[], boolean, string[]]>([
    ["nothing", [], false, []],
    ["only that it began", [{ phase: "run" }], false, []],
    ["a switch without ports", [begin({ kind: "start-switch" }), done({ kind: "start-switch" })], true, []],
    ["ports half made", [done({ kind: "start-switch" }), begin(ports)], true, []],
    ["a wired switch", [done({ kind: "start-switch" }), done(ports)], false, []],
    ["a machine that started", [begin(a("start-machine")), done(a("start-machine"))], false, ["a"]],
    ["a machine that answers", [done(a("start-machine")), done(a("await-machine"))], false, ["a"]],
    ["a machine whose link did not come up", [done(a("start-machine")), failed(a("check-link"))], false, ["a"]],
    ["a machine that was ready", [done(a("start-machine")), done(a("check-link"))], false, []],
    ["a machine half stopped", [done(a("check-link")), begin(a("stop-machine"))], false, ["a"]],
    ["a machine that stopped", [begin(a("stop-machine")), done(a("stop-machine"))], false, []],
    ["a removal", [begin({ kind: "remove-lab" })], false, []],
  ])("%s", (_what, entries, sw, machines) => {
    expect(unfinished(entries)).toEqual({ switch: sw, machines: new Set(machines) });
  });
});
