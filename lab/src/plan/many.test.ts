import { expect, it } from "vitest";
import type { HostFacts } from "../model/host-facts.js";
import { parseLab } from "../model/parse-lab.js";
import { describeAction } from "./action.js";
import { allocate } from "./allocate.js";
import { NOTHING, planUp } from "./plan.js";

const dirs = { stateDir: "/state/labs/l", runDir: "/run/l" };
const facts: HostFacts = { cores: Array.from({ length: 256 }, (_, i) => i), availableMemoryMib: 4_000_000 };

/** Half of them virtual machines, on two links, each with a route by its neighbour. */
function plan(count: number): { readonly steps: string[]; readonly ms: number } {
  const machine = (i: number) =>
    `  m${i}: {kind: ${i % 2 ? "vm" : "process"}, nics: [{link: l${i % 2}}], routes: [{to: 10.99.0.0/16, via: m${(i + 2) % count}}]}`;
  const machines = Array.from({ length: count }, (_, i) => machine(i)).join("\n");
  const text = `name: l\nlinks: {l0: {subnet: 10.1.0.0/16}, l1: {subnet: 10.2.0.0/16}}\nmachines:\n${machines}\n`;
  const started = process.cpuUsage();
  const deployment = allocate(parseLab(text, "/x/lab.yaml"), facts, dirs);
  const wanted = deployment.machines.map(({ name }) => ({ name, fingerprint: name, reconnects: false }));
  const actions = planUp({ switch: { process: "p", wiring: "w" }, machines: wanted }, NOTHING);
  const steps = actions.map(describeAction);
  // Processor time: what else the host does is not the plan's.
  const { user, system } = process.cpuUsage(started);
  return { steps, ms: (user + system) / 1000 };
}

it("a lab of 500 machines is checked, allocated and planned in under a second", () => {
  plan(50);
  const runs = [plan(500), plan(500), plan(500)];
  expect(runs[0]?.steps.filter((step) => step.startsWith("start m"))).toHaveLength(500);
  expect(Math.min(...runs.map(({ ms }) => ms))).toBeLessThan(1000);
});
