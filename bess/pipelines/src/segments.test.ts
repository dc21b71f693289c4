// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import { type ForwardPort, forward, impairMessage, type SegmentLink, segments } from "./index.js";
import { Simulation } from "./testing/simulate.js";

const BROADCAST = "ff:ff:ff:ff:ff:ff";
const UNKNOWN = "02:00:00:00:99:99";
const mac = (link: number, port: number) => `02:00:00:00:0${link}:0${port}`;

/** Link `l` with n ports, of 1 and 2 queues by turns; without `known` nobody says who is behind them. */
function someLink(l: number, n: number, known: boolean): SegmentLink {
  const ports: ForwardPort[] = Array.from({ length: n }, (_, i) => ({
    name: `l${l}p${i}`,
    socket: `/run/l${l}p${i}.sock`,
    queues: 1 + (i % 2),
    macs: known ? [mac(l, i)] : [],
  }));
  return { name: `link${l}`, ports };
}

const others = ({ ports }: SegmentLink, port: ForwardPort) =>
  ports
    .filter((other) => other !== port)
    .map(({ name }) => name)
    .sort();

describe.each([
  ["with known addresses", true, undefined],
  ["with unknown addresses", false, undefined],
  ["impaired", true, { delayUs: 1000 }],
])("links %s", (_title, known, impair) => {
  const links = [1, 2, 3].map((l) => ({ ...someLink(l, 1 + l, known), ...(impair ? { impair } : {}) }));

  it("keep their frames to themselves: broadcast and unknown reach all others of the link, once", () => {
    const world = new Simulation(segments(links, { ownModules: true }));
    for (const link of links) {
      for (const port of link.ports) {
        for (const destination of [BROADCAST, UNKNOWN]) {
          expect(world.send(port.name, 0, destination, mac(9, 9))).toEqual(others(link, port));
        }
      }
    }
    expect(world.deadends).toBe(0);
  });

  it("bring a frame to its destination alone, once that has been heard, in the lane of its queue", () => {
    const world = new Simulation(segments(links, { ownModules: true }));
    links.forEach(({ ports }, l) => {
      ports.forEach(({ name }, i) => void world.send(name, 0, BROADCAST, mac(l + 1, i)));
      for (const [from, port] of ports.entries()) {
        for (let qid = 0; qid < (port.queues ?? 1); qid++) {
          for (const [to, target] of ports.entries()) {
            const ends = world.sendByQueue(port.name, qid, mac(l + 1, to), mac(l + 1, from));
            expect(ends).toEqual(target === port ? [] : [`${target.name}:${qid % (target.queues ?? 1)}`]);
          }
        }
      }
    });
    expect(world.deadends).toBe(0);
  });
});

describe.each([
  ["with known addresses on a bessd", true, false, undefined],
  ["with known addresses", true, true, undefined],
  ["with unknown addresses", false, true, undefined],
  ["impaired", true, true, { delayUs: 1000 }],
])("links %s and spread 'hash'", (_title, known, ownModules, impair) => {
  const hashed = { ...someLink(1, 4, known), spread: "hash" as const, ...(impair ? { impair } : {}) };
  const lanes = someLink(2, 4, true);
  const pipeline = segments([hashed, lanes], { ownModules });

  it("bring a frame to the queue that its flow chooses, whatever queue it comes from", () => {
    const world = new Simulation(pipeline);
    hashed.ports.forEach(({ name }, i) => void world.send(name, 0, BROADCAST, mac(1, i)));
    for (const from of [0, 1, 2, 3]) {
      for (let qid = 0; qid < 1 + (from % 2); qid++) {
        for (const to of [0, 1, 2, 3].filter((port) => port !== from)) {
          for (const hash of [0, 1]) {
            const ends = world.sendByQueue(`l1p${from}`, qid, mac(1, to), mac(1, from), hash);
            expect(ends).toEqual([`l1p${to}:${hash % (1 + (to % 2))}`]);
          }
        }
      }
    }
    expect(world.deadends).toBe(0);
  });

  it("have a HashLB for each of their ports with several queues, and none on other links", () => {
    const spread = pipeline.modules.filter(({ mclass }) => mclass === "HashLB");
    expect(spread.map(({ name }) => name)).toEqual(["spread_l1p1", "spread_l1p3"]);
    for (const port of ["l1p1", "l1p3"]) {
      for (const qid of [0, 1]) {
        const toQueue = pipeline.connections.filter(({ m2 }) => m2 === `out_${port}_${qid}`);
        expect(toQueue).toEqual([{ m1: `spread_${port}`, ogate: qid, m2: `out_${port}_${qid}`, igate: 0 }]);
      }
    }
  });
});

describe("segments", () => {
  const link = someLink(1, 3, true);

  it("are the same with spread 'lanes' and without", () => {
    const links = [link, { ...someLink(2, 3, false), impair: { loss: 0.1 } }];
    const lanes = links.map((each) => ({ ...each, spread: "lanes" as const }));
    expect(segments(lanes, { ownModules: true })).toEqual(segments(links, { ownModules: true }));
  });

  it("on a bessd are forward()'s pipelines, module by module", () => {
    expect(segments([link], { ownModules: false })).toEqual(forward(link.ports));
    const classes = segments([link, someLink(2, 2, false)], { ownModules: false }).modules.map(({ mclass }) => mclass);
    expect(new Set(classes)).toEqual(new Set(["QueueInc", "QueueOut", "L2Forward", "Replicate"]));
  });

  it("on vportd have one Impair a port, whatever the number of its queues, and a switch where it is to learn", () => {
    const { modules } = segments([link, someLink(2, 2, false)], { ownModules: true, worker: { wid: 0, core: 1 } });
    const named = (mclass: string) => modules.filter((module) => module.mclass === mclass).map(({ name }) => name);
    expect(named("Impair")).toEqual(["impair_l1p0", "impair_l1p1", "impair_l1p2", "impair_l2p0", "impair_l2p1"]);
    expect(named("L2Switch")).toEqual(["switch_1"]);
    expect(named("L2Forward")).toHaveLength(4);
    expect(new Set(modules.map(({ name }) => name)).size).toBe(modules.length);
  });

  it("impair what each port sends, each by chances of its own", () => {
    const impair = { delayUs: 10_000, jitterUs: 1000, loss: 0.01, duplicate: 0.1, reorder: 0.2, rateBps: 1e8, seed: 4 };
    const { modules } = segments([{ ...link, impair }], { ownModules: true });
    const args = modules.filter(({ mclass }) => mclass === "Impair").map(({ arg }) => arg.value);
    const common = { delay_ns: 10e6, jitter_ns: 1e6, loss: 0.01, duplicate: 0.1, reorder: 0.2, rate_bps: 1e8 };
    expect(args).toEqual([0, 1, 2].map((n) => ({ ...common, seed: 4_000_012 + n })));
    expect(impairMessage({}, 0)).toMatchObject({ delay_ns: 0, jitter_ns: 0, loss: 0, rate_bps: 0 });
  });

  it.each<[string, SegmentLink[], boolean, string]>([
    ["an impaired link on a bessd", [{ ...link, impair: {} }], false, "link link1 is impaired, which needs vportd's"],
    [
      "33 ports on two links",
      [someLink(1, 20, false), someLink(2, 13, false)],
      true,
      "segments: 33 ports, possible are 1 to 32",
    ],
    ["a port on two links", [link, { ...link, name: "x" }], true, "name l1p0 of port l1p0 is taken by port l1p0"],
  ])("refuse %s", (_title, links, ownModules, text) => {
    expect(() => segments(links, { ownModules })).toThrow(text);
  });
});
