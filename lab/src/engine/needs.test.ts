import { describe, expect, it } from "vitest";
import { needsOf } from "./needs.js";
import type { LabRecord } from "./record.js";

const machine = { name: "a", kind: "vm", memoryMib: 512, cores: [], vcpuPins: [2, 3], emulatorCpus: [0] };

function record(oversubscribed: boolean, emulatorCpus: readonly number[], more: readonly string[] = []): LabRecord {
  const names = ["a", ...more];
  return {
    deployment: {
      oversubscribed,
      switch: { core: 1, memoryMib: 100, hugepages: "auto" },
      machines: names.map((name) => ({ ...machine, name, emulatorCpus })),
    },
    switch: { stateDir: "/s", runDir: "/r" },
    machines: names.map((name) => ({ machine: name, kind: "vm", accelerator: "kvm" })),
  } as unknown as LabRecord;
}

describe("what a lab takes of its place", () => {
  it("is the CPUs that were planned, when one is left for what is not pinned", () => {
    expect(needsOf(record(false, [0])).cores).toEqual([0, 1, 2, 3]);
  });

  it("is every CPU when they are shared, or daemons would have to share one with what polls", () => {
    expect(needsOf(record(true, [0])).cores).toBeUndefined();
    expect(needsOf(record(false, [])).cores).toBeUndefined();
  });

  it("is the memory of every machine, of the switch and of the daemons", () => {
    const one = needsOf(record(false, [0])).memoryMib;
    expect(needsOf(record(false, [0], ["b"])).memoryMib - one).toBe(512 + 300);
    expect(one).toBeGreaterThan(512 + 300 + 100);
  });
});
