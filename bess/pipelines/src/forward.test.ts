// SPDX-License-Identifier: BSD-3-Clause
import type { Pipeline } from "@vnflab/bess-client";
import { describe, expect, it } from "vitest";
import { type ForwardPort, forward } from "./index.js";
import { Simulation } from "./testing/simulate.js";

const BROADCAST = "ff:ff:ff:ff:ff:ff";
const MULTICAST = "33:33:00:00:00:01";
const UNKNOWN = "02:00:00:00:99:99";

const mac = (port: number, k: number) => `02:00:00:00:0${k}:0${port}`;

/** Ports p1 ... pn; port i has i % 3 addresses and 1 + i % 2 queues. */
function somePorts(n: number): ForwardPort[] {
  return Array.from({ length: n }, (_, i) => ({
    name: `p${i + 1}`,
    socket: `/run/p${i + 1}.sock`,
    queues: 1 + (i % 2),
    macs: Array.from({ length: i % 3 }, (_, k) => mac(i + 1, k)),
  }));
}

const queuesOf = ({ queues = 1 }: ForwardPort) => Array.from({ length: queues }, (_, qid) => qid);

describe.each([1, 2, 3, 4, 5, 6, 7, 8])("forward with %d ports", (n) => {
  const ports = somePorts(n);
  const names = (chosen: ForwardPort[]) => chosen.map(({ name }) => name).sort();

  it("brings a frame to the port of its destination, and to no other", () => {
    const world = new Simulation(forward(ports));
    for (const from of ports) {
      for (const qid of queuesOf(from)) {
        for (const to of ports) {
          for (const destination of to.macs) {
            expect(world.send(from.name, qid, destination)).toEqual(to === from ? [] : [to.name]);
          }
        }
      }
    }
  });

  it("brings broadcast, multicast and unknown destinations to all others once, never back", () => {
    const world = new Simulation(forward(ports));
    for (const from of ports) {
      for (const qid of queuesOf(from)) {
        for (const destination of [BROADCAST, MULTICAST, UNKNOWN]) {
          expect(world.send(from.name, qid, destination)).toEqual(names(ports.filter((port) => port !== from)));
        }
      }
    }
  });

  it("with broadcast 'all' the sender hears itself, unicast is unchanged", () => {
    const world = new Simulation(forward(ports, { broadcast: "all" }));
    for (const from of ports) {
      for (const destination of [BROADCAST, MULTICAST, UNKNOWN]) {
        expect(world.send(from.name, 0, destination)).toEqual(names(ports));
      }
      for (const to of ports) {
        for (const destination of to.macs) expect(world.send(from.name, 0, destination)).toEqual([to.name]);
      }
    }
  });

  it("keeps a frame in the lane of its queue, folded where the receiver has fewer", () => {
    for (const broadcast of ["all", "others"] as const) {
      const world = new Simulation(forward(ports, { broadcast }));
      for (const from of ports) {
        for (const qid of queuesOf(from)) {
          for (const end of world.sendByQueue(from.name, qid, BROADCAST)) {
            const to = ports.find(({ name }) => end.startsWith(`${name}:`));
            expect(end).toBe(`${to?.name}:${qid % (to?.queues ?? 1)}`);
          }
        }
      }
    }
  });

  it("keeps within bessd's limits: 32 gates of Replicate starting with 0, unique names, power-of-two tables", () => {
    for (const pipeline of [forward(ports), forward(ports, { broadcast: "all" })]) {
      const all = [...pipeline.modules, ...pipeline.ports].map(({ name }) => name);
      expect(new Set(all).size).toBe(all.length);
      for (const { arg } of pipeline.modules) {
        if (arg.type === "ReplicateArg") expect(arg.value.gates?.[0] ?? 0).toBe(0);
        if (arg.type === "L2ForwardArg") expect(Math.log2(Number(arg.value.size)) % 1).toBe(0);
      }
    }
  });
});

describe("forward with spread 'hash'", () => {
  const ports = somePorts(4).map((port, i) => ({ ...port, queues: [1, 3, 2, 1][i] ?? 1 }));

  it.each(["all", "others"] as const)("lets the flow choose the receiver's queue, broadcast to %s", (broadcast) => {
    const world = new Simulation(forward(ports, { broadcast, spread: "hash" }));
    const ends = (others: ForwardPort[], hash: number) =>
      others.map((to) => `${to.name}:${hash % queuesOf(to).length}`);
    for (const from of ports) {
      for (const qid of queuesOf(from)) {
        for (let hash = 0; hash < 6; hash++) {
          const reached = (destination: string) => world.sendByQueue(from.name, qid, destination, undefined, hash);
          const hearers = ports.filter((port) => broadcast === "all" || port !== from);
          expect(reached(BROADCAST)).toEqual(ends(hearers, hash));
          for (const to of hearers) {
            for (const destination of to.macs) expect(reached(destination)).toEqual(ends([to], hash));
          }
        }
      }
    }
    expect(world.deadends).toBe(0);
  });

  it("has one HashLB before each port of several queues, which alone leads to its queues", () => {
    const { modules, connections } = forward(ports, { spread: "hash" });
    expect(modules.filter(({ mclass }) => mclass === "HashLB")).toEqual([
      { name: "spread_p2", mclass: "HashLB", arg: { type: "HashLBArg", value: { gates: [0, 1, 2], mode: "l4" } } },
      { name: "spread_p3", mclass: "HashLB", arg: { type: "HashLBArg", value: { gates: [0, 1], mode: "l4" } } },
    ]);
    expect(connections.filter(({ m2 }) => /^out_p[23]_/.test(m2))).toEqual([
      { m1: "spread_p2", ogate: 0, m2: "out_p2_0", igate: 0 },
      { m1: "spread_p2", ogate: 1, m2: "out_p2_1", igate: 0 },
      { m1: "spread_p2", ogate: 2, m2: "out_p2_2", igate: 0 },
      { m1: "spread_p3", ogate: 0, m2: "out_p3_0", igate: 0 },
      { m1: "spread_p3", ogate: 1, m2: "out_p3_1", igate: 0 },
    ]);
  });

  it("is 'lanes' where it is not asked for, and where all ports have one queue", () => {
    const lanes = forward(ports);
    expect(forward(ports, { spread: "lanes" })).toEqual(lanes);
    expect(lanes.modules.map(({ mclass }) => mclass)).not.toContain("HashLB");
    expect(forward(TWO, { spread: "hash" })).toEqual(forward(TWO));
  });
});

/** One line a thing: what reads well in a diff. */
function lines(pipeline: Pipeline): string[] {
  return [
    ...pipeline.workers.map(({ wid, core }) => `worker ${wid} core ${core}`),
    ...pipeline.ports.map(({ name, driver, arg }) => `port ${name} ${driver} ${JSON.stringify(arg.value)}`),
    ...pipeline.modules.map(({ name, mclass, arg }) => `${name}::${mclass}(${JSON.stringify(arg.value)})`),
    ...pipeline.connections.map(({ m1, ogate, m2, igate }) => `${m1}:${ogate} -> ${igate}:${m2}`),
    ...pipeline.commands.map(({ name, cmd, arg }) => `${name}.${cmd}(${JSON.stringify(arg.value)})`),
  ];
}

const TWO: ForwardPort[] = [
  { name: "a", socket: "/run/a", macs: ["02:00:00:00:00:0A"] },
  { name: "b", socket: "/run/b", macs: ["02:00:00:00:00:0b"] },
];

describe("golden", () => {
  it("two ports, a table and a Replicate for each source", () => {
    expect(lines(forward(TWO, { worker: { wid: 0, core: 1 } }))).toMatchInlineSnapshot(`
      [
        "worker 0 core 1",
        "port a PMDPort {"vdev":"eth_vhost_a,iface=/run/a,queues=1"}",
        "port b PMDPort {"vdev":"eth_vhost_b,iface=/run/b,queues=1"}",
        "out_a_0::QueueOut({"port":"a","qid":0})",
        "out_b_0::QueueOut({"port":"b","qid":0})",
        "fib_a_0::L2Forward({"size":1024})",
        "flood_a_0::Replicate({"gates":[0]})",
        "in_a_0::QueueInc({"port":"a","qid":0})",
        "fib_b_0::L2Forward({"size":1024})",
        "flood_b_0::Replicate({"gates":[0]})",
        "in_b_0::QueueInc({"port":"b","qid":0})",
        "fib_a_0:1 -> 0:out_b_0",
        "flood_a_0:0 -> 0:out_b_0",
        "fib_a_0:32 -> 0:flood_a_0",
        "in_a_0:0 -> 0:fib_a_0",
        "fib_b_0:0 -> 0:out_a_0",
        "flood_b_0:0 -> 0:out_a_0",
        "fib_b_0:32 -> 0:flood_b_0",
        "in_b_0:0 -> 0:fib_b_0",
        "fib_a_0.add({"entries":[{"addr":"02:00:00:00:00:0a","gate":8192},{"addr":"02:00:00:00:00:0b","gate":1},{"addr":"ff:ff:ff:ff:ff:ff","gate":32}]})",
        "fib_a_0.set_default_gate({"gate":32})",
        "fib_b_0.add({"entries":[{"addr":"02:00:00:00:00:0a","gate":0},{"addr":"02:00:00:00:00:0b","gate":8192},{"addr":"ff:ff:ff:ff:ff:ff","gate":32}]})",
        "fib_b_0.set_default_gate({"gate":32})",
      ]
    `);
  });

  it("two ports, broadcast to all: one table for everybody", () => {
    expect(lines(forward(TWO, { broadcast: "all" }))).toMatchInlineSnapshot(`
      [
        "port a PMDPort {"vdev":"eth_vhost_a,iface=/run/a,queues=1"}",
        "port b PMDPort {"vdev":"eth_vhost_b,iface=/run/b,queues=1"}",
        "out_a_0::QueueOut({"port":"a","qid":0})",
        "out_b_0::QueueOut({"port":"b","qid":0})",
        "fib_all_0::L2Forward({"size":1024})",
        "flood_all_0::Replicate({"gates":[0,1]})",
        "merge_0::Merge({})",
        "in_a_0::QueueInc({"port":"a","qid":0})",
        "in_b_0::QueueInc({"port":"b","qid":0})",
        "fib_all_0:0 -> 0:out_a_0",
        "fib_all_0:1 -> 0:out_b_0",
        "flood_all_0:0 -> 0:out_a_0",
        "flood_all_0:1 -> 0:out_b_0",
        "fib_all_0:32 -> 0:flood_all_0",
        "merge_0:0 -> 0:fib_all_0",
        "in_a_0:0 -> 0:merge_0",
        "in_b_0:0 -> 0:merge_0",
        "fib_all_0.add({"entries":[{"addr":"02:00:00:00:00:0a","gate":0},{"addr":"02:00:00:00:00:0b","gate":1},{"addr":"ff:ff:ff:ff:ff:ff","gate":32}]})",
        "fib_all_0.set_default_gate({"gate":32})",
      ]
    `);
  });
});

describe("refuses", () => {
  const port = TWO[0] as ForwardPort;
  const many = Array.from({ length: 33 }, (_, i) => ({ name: `p${i}`, socket: `/run/${i}`, macs: [] }));
  it.each<[string, ForwardPort[], string]>([
    ["no port", [], "0 ports"],
    ["33 ports", many, "33 ports, possible are 1 to 32"],
    ["a name that would break a device string", [{ ...port, name: "a,b" }], "port name 'a,b'"],
    ["a relative socket", [{ ...port, socket: "a.sock" }], "socket 'a.sock' of port a"],
    ["a socket with a comma", [{ ...port, socket: "/run/a,queues=9" }], "no ','"],
    ["a socket of 108 bytes", [{ ...port, socket: `/${"x".repeat(107)}` }], "under 108 bytes"],
    ["no queue", [{ ...port, queues: 0 }], "has 0 queues"],
    ["what is no MAC", [{ ...port, macs: ["02:00:00:00:00"] }], "not a MAC address"],
    ["a group address", [{ ...port, macs: [BROADCAST] }], "group address"],
    ["a name twice", [port, { ...port, socket: "/run/c", macs: [] }], "name a of port a is taken by port a"],
    ["a socket twice", [port, { name: "c", socket: "/run/a", macs: [] }], "socket /run/a of port c"],
    ["a MAC twice, whatever its case", [port, { name: "c", socket: "/c", macs: ["02:00:00:00:00:0a"] }], "MAC 02:00"],
  ])("%s", (_name, ports, text) => {
    expect(() => forward(ports)).toThrow(text);
  });
});
