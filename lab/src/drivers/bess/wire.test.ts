import { expect, it } from "vitest";
import { wire } from "./bess-client-control.js";

const port = (name: string, link: string, n: number) => ({
  ...{ name, link, socket: `/run/${name}.sock`, queues: 1 },
  macs: [`02:00:00:00:00:0${n}`],
});

const IMPAIR = { delayUs: 5, jitterUs: 0, loss: 0, duplicate: 0, reorder: 0, seed: 1 };

it("a link that spreads by a hash has one before each port with several queues", () => {
  const ports = [{ ...port("a", "l", 1), queues: 2 }, port("b", "l", 2)];
  const modules = (spread: "lanes" | "hash") =>
    wire({ kind: "vportd", links: [{ name: "l", spread }], ports, core: 3 })
      .modules.filter(({ arg }) => arg.type === "HashLBArg")
      .map(({ name }) => name);
  expect(modules("hash")).toEqual(["spread_a"]);
  expect(modules("lanes")).toEqual([]);
});

it("ports of different links have no way to each other, on one worker", () => {
  const ports = [port("a", "l", 1), port("m", "l", 2), port("m.1", "r", 3), port("b", "r", 4)];
  const spread = "lanes";
  const links = [
    { name: "l", spread },
    { name: "r", spread, impair: IMPAIR },
    { name: "empty", spread },
  ] as const;
  const pipeline = wire({ kind: "vportd", links, ports, core: 3 });
  expect(pipeline.workers).toEqual([{ wid: 0, core: 3 }]);
  expect(pipeline.ports.map(({ name }) => name)).toEqual(["a", "m", "m.1", "b"]);
  const reached = (from: string) => {
    const seen = new Set([from]);
    for (const module of seen) {
      for (const { m1, m2 } of pipeline.connections) if (m1 === module) seen.add(m2);
    }
    return [...seen].filter((name) => name.startsWith("out_")).sort();
  };
  expect(reached("in_a_0")).toEqual(["out_m_0"]);
  expect(reached("in_m_0")).toEqual(["out_a_0"]);
  // An impaired link has a switch, which sends nothing back by itself.
  expect(reached("in_m.1_0")).toEqual(["out_b_0", "out_m.1_0"]);
  expect(reached("in_b_0")).toEqual(["out_b_0", "out_m.1_0"]);
});
