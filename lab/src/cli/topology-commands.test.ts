import { readdirSync, readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine, LAB_FILE } from "../engine/fake-engine.js";
import { parseLab } from "../model/parse-lab.js";
import { allocate } from "../plan/allocate.js";
import { runFake } from "./fake-io.js";

const EXAMPLES = new URL("../../examples/", import.meta.url);
const names = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const textOf = (name: string) => readFileSync(new URL(`${name}/lab.yaml`, EXAMPLES), "utf8");

let engine: FakeEngine;

beforeEach(async () => {
  engine = await fakeEngine();
  for (const name of names) await engine.host.files.write(`/repo/lab/examples/${name}/lab.yaml`, textOf(name));
});

const vnflab = (...argv: string[]) => runFake(engine, argv);

describe.each(names)("example %s", (name) => {
  it("is valid, can be planned, and is told of in the examples' README", () => {
    const topology = parseLab(textOf(name), `/labs/${name}/lab.yaml`);
    const facts = { cores: [0, 1], availableMemoryMib: 8000 };
    const deployment = allocate(topology, facts, { stateDir: `/s/${name}`, runDir: `/r/${name}` });
    const ports = deployment.machines.flatMap(({ nics }) => nics.map(({ port }) => port));
    expect(new Set(ports).size).toBe(ports.length);
    expect(readFileSync(new URL("README.md", EXAMPLES), "utf8")).toContain(`| \`${name}\` |`);
  });

  it("is a lab of one's own by init", async () => {
    const made = await vnflab("init", "mine", "--example", name, "--json");
    const { file } = JSON.parse(made.out) as { file: string };
    const text = (await engine.host.files.readText(file)) ?? "";
    expect(text).toContain("$schema=/repo/lab/schema/lab.schema.json\n");
    const { name: lab, machines } = parseLab(text, file);
    expect({ lab, machines: machines.length }).toEqual({
      lab: "mine",
      machines: parseLab(textOf(name), "/x").machines.length,
    });
  });
});

describe("vnflab init", () => {
  it("never overwrites a file, and names the examples that there are", async () => {
    expect(await vnflab("init")).toMatchObject({ exitCode: 0, out: expect.stringContaining("two-vms.yaml\nnext: ") });
    expect(await vnflab("init")).toMatchObject({ exitCode: 22, err: expect.stringContaining("VNF_FILE_EXISTS") });
    const unknown = await vnflab("init", "--example", "chian");
    expect(unknown).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('no example "chian" (did you mean "chain"?)'),
    });
    expect((await vnflab("init", "My Lab")).exitCode).toBe(3);
    const list = await vnflab("init", "--list");
    expect(list.out).toMatch(/^two-vms +Two virtual machines on one switch; libmtcp on DPDK inside both\.$/m);
    for (const name of names) expect(list.out).toContain(`${name} `);
  });
});

describe("vnflab graph", () => {
  const LAB = `name: pair
links: {left: {impair: {delay: 10ms, jitter: 1ms, loss: 1%, rate: 100M}}, right: {}}
machines:
  web-1: {kind: process, nics: [{link: left}]}
  box: {nics: [{link: left}, {link: right}], forwarding: true, cpus: 2, host: local}
`;

  it("draws a file as mermaid, with what is known of it", async () => {
    await engine.host.files.write(LAB_FILE, LAB);
    expect((await vnflab("graph", LAB_FILE)).out).toMatchInlineSnapshot(`
      "graph LR
        l_left(["left<br/>10.9.0.0/24<br/>10 ms ± 1 ms, 1 % loss, 100 Mbit/s"])
        l_right(["right<br/>10.9.1.0/24"])
        m_web_1["web-1<br/>process, libmtcp"]
        m_box["box<br/>VM, 2 CPUs, forwards"]
        m_web_1 --- l_left
        m_box --- l_left
        m_box --- l_right
      "
    `);
  });

  it("draws a lab that is up with its addresses, also as dot and svg", async () => {
    await vnflab("up", LAB_FILE);
    expect((await vnflab("graph", "pair")).out).toContain('m_left ---|"169.254.9.1/24"| l_lan\n');
    expect((await vnflab("graph", "pair", "--format", "dot")).out).toContain(
      '  m_left [shape=box, label="left\\nprocess, libmtcp"];\n',
    );
    const { out } = await vnflab("graph", "pair", "--format", "svg");
    expect(out).toMatch(/^<\?xml .*<svg .*>left<.*>169\.254\.9\.2\/24<.*<\/svg>\n$/s);
  });

  it("takes settings, and refuses what is no lab", async () => {
    expect((await vnflab("graph", LAB_FILE, "--set", "subnet=10.3.0.0/24")).out).toContain("lan<br/>10.3.0.0/24");
    expect((await vnflab("graph", "nobody")).exitCode).toBe(3);
    expect((await vnflab("graph", LAB_FILE, "--format", "png")).exitCode).toBe(2);
  });
});

it("vnflab config show tells folders, settings and where they come from", async () => {
  const { out } = await vnflab("config", "show");
  expect(out).toMatch(/^state +\/home\/u\/\.local\/state\/vnflab +\(HOME\)/m);
  const env = { ...engine.host.env, VNFLAB_SET_SEED: "7", VNFLAB_CACHE: "/c", VNFLAB_LIBVIRT_URI: "test:///" };
  Object.assign(engine.host, { env });
  const { entries } = JSON.parse((await vnflab("config", "show", "--json")).out);
  expect(entries).toContainEqual(expect.objectContaining({ name: "seed", value: "7", from: "VNFLAB_SET_SEED" }));
  expect(entries).toContainEqual(expect.objectContaining({ name: "VNFLAB_LIBVIRT_URI", value: "test:///" }));
});
