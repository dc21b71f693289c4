import { describe, expect, it } from "vitest";
import { parseLab } from "../model/parse-lab.js";
import { firstNic, type Topology } from "../model/topology.js";
import { allocate, type HostFacts } from "./allocate.js";
import { describeAction, NOTHING, type Observed, planDown, planUp } from "./plan.js";

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
      ["02:00:00:00:00:03", "169.254.9.3/24", [1, 2]],
    ]);
    expect(sw.core).toBe(0);
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
  const desired = { machines: ["a", "b"], fingerprint: "1" };
  const up: Observed = { switch: "running", machines: { a: "running", b: "running" }, fingerprint: "1" };
  const cases: [string, Observed][] = [
    ["nothing runs", NOTHING],
    ["all runs as desired", up],
    ["one machine has died", { ...up, machines: { a: "running", b: "dead" } }],
    ["one machine was never started", { ...up, machines: { a: "absent", b: "running" } }],
    ["the switch has died", { ...up, switch: "dead" }],
    ["the lab has changed", { ...up, fingerprint: "0" }],
  ];

  it("matches the golden file", async () => {
    const sections = cases.map(([title, observed]) => [title, planUp(desired, observed)] as const);
    const all = [...sections, ["down", planDown(["a", "b"])] as const];
    const text = all.map(([title, plan]) => `# ${title}\n${plan.map((step) => `${describeAction(step)}\n`).join("")}`);
    await expect(text.join("\n")).toMatchFileSnapshot("golden/plans.txt");
  });
});
