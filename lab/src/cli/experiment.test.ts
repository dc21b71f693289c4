import { readdirSync, readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { type FakeEngine, fakeEngine } from "../engine/fake-engine.js";
import { runFake } from "./fake-io.js";

const EXPERIMENTS = new URL("../../experiments/", import.meta.url);
const files = readdirSync(EXPERIMENTS);

let engine: FakeEngine;

beforeEach(async () => {
  engine = await fakeEngine();
  for (const file of files) {
    await engine.host.files.write(`/repo/lab/experiments/${file}`, readFileSync(new URL(file, EXPERIMENTS), "utf8"));
  }
});

const experiment = (...argv: string[]) => runFake(engine, ["experiment", ...argv]);

describe("vnflab experiment", () => {
  it("lists all with what they ask and how long they take", async () => {
    const { out, exitCode } = await experiment("list");
    expect(exitCode).toBe(0);
    for (const file of files) expect(out).toContain(file.replace(".yaml", ""));
    expect(out).toMatch(/^loss +1h \d+m +3m \d+s +What do loss and delay/m);
    const { experiments } = JSON.parse((await experiment("list", "--json")).out);
    expect(experiments).toHaveLength(files.length);
  });

  it("shows one with its factors, quantities and expectations", async () => {
    const { out } = await experiment("show", "loss");
    expect(out).toMatch(/^ {2}delay +0us, 5ms, 50ms +That the link adds/m);
    expect(out).toMatch(/^ {2}goodput +Gbit\/s/m);
    expect(out).toContain("  The more is lost, the less arrives.\n");
    expect(JSON.parse((await experiment("show", "loss", "--json")).out)).toMatchObject({
      experiment: { name: "loss" },
    });
  });

  it("plans with all options, and says what is left out and why", async () => {
    const { out } = await experiment("plan", "throughput-vs-cores", "--quick", "--only", "workers=1", "--repeat", "3");
    expect(out).toMatch(/^throughput-vs-cores: 45 trials of 15 combinations, seed 1\n/);
    expect(out).toMatch(/^vm +3 +1 +45$/m);
    expect(out).toContain("15 combinations: the kernel distributes in its own way");
    const { out: json } = await experiment(
      ...["plan", "loss", "--only", "loss=0%,1%", "--only", "stack=libmtcp", "--seed", "9", "--shard", "1/2"],
      ...["--set", "machines=process", "--json"],
    );
    const plan = JSON.parse(json);
    expect(plan.options).toEqual({
      quick: false,
      only: [
        { factor: "loss", levels: ["0%", "1%"] },
        { factor: "stack", levels: ["libmtcp"] },
      ],
      seed: 9,
      machines: "process",
      shard: { index: 1, count: 2 },
    });
    expect(plan.trials).toHaveLength(3 * 5);
    expect(plan.setups).toEqual([{ machines: "process", cpus: 1, queues: 1, spread: "lanes" }]);
  });

  it("reads a file of one's own, and names its faults", async () => {
    await engine.host.files.write("/x/mine.yaml", "name: mine\ntitel: Mine\n");
    const { exitCode, err } = await experiment("plan", "/x/mine.yaml");
    expect(exitCode).toBe(51);
    expect(err).toContain('/x/mine.yaml:2:1: titel: unknown key (did you mean "title"?)');
    expect(await experiment("plan", "/x/none.yaml")).toMatchObject({
      exitCode: 51,
      err: expect.stringContaining("there is no file /x/none.yaml"),
    });
  });

  it.each([
    [["show", "los"], 'no experiment "los" (did you mean "loss"?)'],
    [["plan", "loss", "--only", "los=1%"], '--only los: loss does not vary it (did you mean "loss"?)'],
    [["plan", "loss", "--only", "loss"], "Write FACTOR=LEVEL[,LEVEL]"],
    [["plan", "loss", "--only", "loss=2%"], "--only loss=2%: no such level"],
    [["plan", "loss", "--shard", "3/2"], "Write PART/PARTS"],
    [["plan", "loss", "--seed", "x"], "It must be a whole number"],
    [["plan", "loss", "--set", "machines=proces"], 'did you mean "process"?'],
    [["plan", "loss", "--set", "machine=vm"], 'did you mean "machines"?'],
  ])("%j is refused", async (argv, message) => {
    expect(await experiment(...argv)).toMatchObject({ exitCode: 2, err: expect.stringContaining(message) });
  });
});
