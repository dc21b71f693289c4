import { describe, expect, it } from "vitest";
import type { HostFacts } from "../model/host-facts.js";
import { parseLab } from "../model/parse-lab.js";
import { allocateCores } from "./allocate-cores.js";

const topology = (machines: string, rest = "") => parseLab(`name: l\n${rest}\nmachines: ${machines}`, "/x/lab.yaml");
const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

/** Two sockets of `each` cores with two threads: 0 .. each-1 and their second threads 2*each .. are node 0. */
function twoSockets(each: number): HostFacts {
  const siblings = range(0, 2 * each).map((core) => [core, core + 2 * each]);
  const nodes = [0, 1].map((node) => ({
    node,
    cores: [...range(node * each, each), ...range((node + 2) * each, each)],
  }));
  return { cores: range(0, 4 * each), availableMemoryMib: 1e6, siblings, nodes };
}

const plain = (count: number): HostFacts => ({ cores: range(0, count), availableMemoryMib: 1e6 });
const TWO_VMS = "{a: {cpus: 2}, b: {cpus: 2}}";

describe("CPUs for a lab", () => {
  it("are disjoint: the switch, virtual CPUs, workers of processes, and the lowest for housekeeping", () => {
    const allocation = allocateCores(topology("{a: {cpus: 2}, b: {kind: process, stack: {workers: 2}}}"), plain(8));
    expect(allocation).toEqual({
      switchCore: 1,
      machines: [
        { cores: [], vcpuPins: [2, 3] },
        { cores: [4, 5], vcpuPins: [] },
      ],
      housekeeping: [0],
      oversubscribed: false,
    });
  });

  it("leave none for housekeeping on a host of three", () => {
    expect(allocateCores(topology("{a: {}, b: {}}"), plain(3))).toMatchObject({
      ...{ switchCore: 0, housekeeping: [], oversubscribed: false },
      machines: [{ vcpuPins: [1] }, { vcpuPins: [2] }],
    });
  });

  it("stay what they are when the file has a machine more", () => {
    const { switchCore, machines } = allocateCores(topology(TWO_VMS), twoSockets(4));
    const more = allocateCores(topology(`${TWO_VMS.slice(0, -1)}, c: {cpus: 4}}`), twoSockets(4));
    expect(more.switchCore).toBe(switchCore);
    expect(more.machines.slice(0, 2)).toEqual(machines);
  });

  it("are whole physical cores while there are any, and of one node while it has room", () => {
    expect(allocateCores(topology(TWO_VMS), twoSockets(8))).toMatchObject({
      ...{ switchCore: 1, housekeeping: [0] },
      machines: [{ vcpuPins: [2, 3] }, { vcpuPins: [4, 5] }],
    });
  });

  it("never split a machine between nodes that one of them could hold", () => {
    const { switchCore, machines } = allocateCores(
      topology("{a: {cpus: 2}, b: {cpus: 4}, c: {cpus: 2}}"),
      twoSockets(4),
    );
    const nodeOf = (core: number) => Math.floor(core / 4) % 2;
    for (const { vcpuPins } of machines) expect(new Set(vcpuPins.map(nodeOf)).size).toBe(1);
    const all = [switchCore, ...machines.flatMap(({ vcpuPins }) => vcpuPins)];
    expect(new Set(all).size).toBe(9);
  });

  it("are second threads when there are no whole cores left", () => {
    const facts = {
      ...plain(4),
      siblings: [
        [0, 2],
        [1, 3],
      ],
    };
    expect(allocateCores(topology("{a: {cpus: 2}}"), facts)).toMatchObject({
      ...{ switchCore: 1, housekeeping: [0], oversubscribed: false },
      machines: [{ vcpuPins: [2, 3] }],
    });
  });

  it("respect the core that the file gives the switch", () => {
    const allocation = allocateCores(topology(TWO_VMS, "switch: {core: 3}"), plain(8));
    expect(allocation).toMatchObject({ switchCore: 3, machines: [{ vcpuPins: [1, 2] }, { vcpuPins: [4, 5] }] });
  });

  it("are not those that another lab holds", () => {
    const heldCores = [0, 1, 2].map((core) => ({ core, lab: "other" }));
    expect(allocateCores(topology("{a: {}, b: {}}"), { ...plain(8), heldCores })).toMatchObject({
      ...{ switchCore: 3, housekeeping: [0] },
      machines: [{ vcpuPins: [4] }, { vcpuPins: [5] }],
    });
    expect(allocateCores(topology("{a: {}, b: {}}"), { ...plain(5), heldCores })).toMatchObject({
      ...{ switchCore: 3, oversubscribed: true },
      reason: "3 CPUs are needed for switch and machines, 2 are free, 3 held by lab other",
    });
  });

  it("of a lab that is exclusive are had by nobody else, and by it alone or not at all", () => {
    const held = (exclusive: boolean, cores = [0, 1, 2]) =>
      cores.map((core) => ({ core, lab: "other", ...(exclusive ? { exclusive } : {}) }));
    const two = "{a: {}, b: {}}";
    const place = (rest: string, heldCores: HostFacts["heldCores"]) => () =>
      allocateCores(topology(two, rest), { ...plain(5), heldCores: heldCores ?? [] });
    expect(place("exclusive: true", held(false))).toThrow(
      "3 CPUs are needed for switch and machines, 2 are free, 3 held by lab other; the lab is exclusive",
    );
    expect(place("exclusive: true", held(false, [0, 1]))().oversubscribed).toBe(false);
    expect(place("exclusive: true\nswitch: {core: 1}", held(false, [0, 1]))).toThrow("core 1 is held by lab other");
    expect(place("switch: {core: 1}", held(true))).toThrow("core 1 is held by lab other");
    expect(place("", held(true, [1, 2, 3, 4]))).toThrow("0 are free, 4 held by lab other alone");
    // Virtual CPUs must not go where the kernel puts them.
    expect(place("", held(true))()).toMatchObject({
      ...{ switchCore: 3, oversubscribed: true },
      machines: [{ vcpuPins: [4] }, { vcpuPins: [4] }],
    });
  });

  it("are shared when there are too few, beside the switch's as long as there is a second one", () => {
    const workers = topology("{a: {kind: process, stack: {workers: 2}}, b: {cpus: 2}}");
    expect(allocateCores(workers, plain(3))).toEqual({
      switchCore: 0,
      machines: [
        { cores: [1, 2], vcpuPins: [] },
        { cores: [], vcpuPins: [] },
      ],
      ...{ housekeeping: [], oversubscribed: true, reason: "5 CPUs are needed for switch and machines, 3 are free" },
    });
    expect(allocateCores(workers, plain(1)).machines[0]?.cores).toEqual([0, 0]);
    expect(allocateCores(workers, plain(4))).toMatchObject({ switchCore: 1, housekeeping: [0], oversubscribed: true });
  });
});
