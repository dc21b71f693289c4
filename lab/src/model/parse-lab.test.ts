import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseLab } from "./parse-lab.js";
import { labJsonSchema } from "./schema.js";

const parse = (text: string) => parseLab(text, "/x/lab.yaml");

describe("a good lab file", () => {
  it("is filled with defaults, the machine's own keys winning over `defaults`", () => {
    const lab = parse(`
name: pair
defaults: {kind: process, cpus: 2, stack: {workers: 2, config: {log: debug, rcvbuf: 65536}}}
deadlines: {link: 5}
machines:
  a: {stack: {config: {log: info}}}
  b: {kind: vm, memory: 1G, image: ../img, address: 10.0.0.2/8, mac: 02:00:00:00:00:AA}
`);
    expect(lab.machines).toMatchObject([
      { name: "a", kind: "process", stack: { workers: 2, config: { log: "info", rcvbuf: 65536 } } },
      {
        name: "b",
        kind: "vm",
        cpus: 2,
        memoryMib: 1024,
        image: "/img",
        nics: [{ link: "lan", mac: "02:00:00:00:00:aa" }],
      },
    ]);
    expect(lab.deadlinesMs).toMatchObject({ link: 5000, agent: 120_000 });
    expect(lab.machines[0]?.nics).toEqual([{ link: "lan", queues: 2 }]);
    expect(lab.links).toEqual([{ name: "lan", subnet: "169.254.9.0/24", spread: "lanes" }]);
  });

  it.each([
    ["", 1, 1, 1],
    ["workers: 2", 2, 2, 2],
    ["workers: 2, distribution: direct", 2, 2, 2],
    ["workers: 4, distribution: shared", 4, 4, 1],
    ["workers: 3, distribution: 1kb", 4, 3, 1],
    ["cores: 4, distribution: 1kb", 4, 3, 1],
    ["cores: 4, distribution: 2kb", 4, 2, 1],
    ["distribution: 2kb", 3, 1, 1],
  ])("a stack of {%s} has %d cores, %d workers and a card of %d queues", (text, cores, workers, queues) => {
    const { machines } = parse(`name: a\nmachines: {m: {cpus: 8, stack: {${text}}}}`);
    expect(machines).toMatchObject([{ nics: [{ queues }], stack: { cores, workers } }]);
  });

  it("a machine's own workers win over the cores of `defaults`, its own queues over those of the design", () => {
    const defaults = "{kind: process, stack: {cores: 4, distribution: 1kb, rebalance: true}}";
    const { machines } = parse(`name: a\ndefaults: ${defaults}\nmachines: {m: {stack: {workers: 1}}, n: {queues: 2}}`);
    expect(machines).toMatchObject([
      { nics: [{ queues: 1 }], stack: { cores: 2, workers: 1, rebalance: true } },
      { nics: [{ queues: 2 }], stack: { cores: 4, workers: 3 } },
    ]);
  });

  it("has links with impairments, machines with several NICs, kernels that forward, kinds and hosts", () => {
    const lab = parse(`
name: chain
seed: 7
host: docker
kinds: {vm: {memory: 512M}, process: {cpus: 3}}
defaults: {cpus: 2}
links:
  left: {impair: {delay: 10ms, jitter: 0.5ms, loss: 1%, reorder: 25%, rate: 2.5G}}
  right: {subnet: 10.7.0.0/16, spread: hash}
machines:
  client: {nics: [{link: left}], routes: [{to: right, via: box}]}
  box: {nics: [{link: left}, {link: right, address: 10.7.0.1/16, queues: 2}], forwarding: true}
  server: {kind: process, nics: [{link: right}], gateway: 10.7.0.1}
`);
    expect(lab.links).toEqual([
      {
        name: "left",
        subnet: "10.9.0.0/24",
        spread: "lanes",
        impair: {
          ...{ delayUs: 10_000, jitterUs: 500, loss: 0.01, duplicate: 0, reorder: 0.25 },
          ...{ rateBps: 2_500_000_000, seed: 7 },
        },
      },
      { name: "right", subnet: "10.7.0.0/16", spread: "hash" },
    ]);
    expect(lab.machines).toMatchObject([
      { memoryMib: 512, cpus: 2, place: { kind: "docker" }, routes: [{ to: "right", via: ["box"] }] },
      { forwarding: true, stack: { kind: "kernel" }, nics: [{ queues: 1 }, { queues: 2, address: "10.7.0.1/16" }] },
      { cpus: 3, routes: [{ to: "0.0.0.0/0", via: ["10.7.0.1"] }], stack: { kind: "libmtcp" } },
    ]);
  });

  it.each(["two-vms", "two-processes", "one-queue-many-cores"])("example %s", (name) => {
    const file = new URL(`../../examples/${name}/lab.yaml`, import.meta.url).pathname;
    expect(parseLab(readFileSync(file, "utf8"), file).machines).toHaveLength(2);
  });
});

describe("a bad lab file", () => {
  it("reports all problems at once, in the order of the file", () => {
    expect(() => parse("name: A\nfoo: 1\nmachines: {m: {cpus: 0}}")).toThrowError(/:1:1: .*\n.*:2:1: .*\n.*:3:16: /);
  });
});

it("the JSON Schema in lab/schema is the one of this code", async () => {
  const text = `${JSON.stringify(labJsonSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot("../../schema/lab.schema.json");
});
