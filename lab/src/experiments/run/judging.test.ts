import { describe, expect, it } from "vitest";
import { CONDITIONS, makeResult, makeTrial } from "../fake-run.js";
import { differsFrom, readEffective } from "./effective.js";
import { type HostReadings, judgeFitness } from "./fitness.js";
import { hostLoad, parseCpuTime } from "./host-load.js";
import { rateOf } from "./peak.js";
import { pendingTrials } from "./run-trials.js";
import { labName, settingsOf } from "./setup-lab.js";
import { telemetryValues } from "./telemetry.js";

describe("what ran in fact", () => {
  const SAID = [
    "EAL: Detected CPU lcores: 4",
    "dpdk: port 0 (net_virtio), 2 queue(s), 30720 packet buffers, offloads: checksums and segmentation, link up",
    "distribution 1kb: 3 worker(s), 1 thread(s) besides, 2 queue(s) of 0000:00:03.0 (asked for)",
  ];
  const EFFECTIVE = { distribution: "1kb", workers: 3, dedicated: 1, queues: 2, offload: "checksums and segmentation" };
  const ASKED = { ...CONDITIONS, distribution: "1kb", workers: 3, queues: 2 } as const;

  it("is read from what the stack says", () => {
    expect(readEffective(SAID)).toEqual(EFFECTIVE);
    expect(readEffective(["no word of it"])).toBeUndefined();
    expect(differsFrom(ASKED, readEffective(SAID))).toEqual([]);
  });

  it.each([
    [{ workers: 4 }, "workers: 3 ran, asked for 4"],
    [{ queues: 1 }, "queues: 2 ran, asked for 1"],
    [{ distribution: "shared" }, "distribution: 1kb ran, asked for shared"],
    [{ offload: "csum" }, "offload: the device did checksums and segmentation, asked for csum"],
    [{ offload: "off" }, "offload: the device did checksums and segmentation, asked for off"],
  ] as const)("asked for %j it differs", (more, problem) => {
    expect(differsFrom({ ...ASKED, ...more }, EFFECTIVE)).toEqual([problem]);
  });

  it("a device may do less than all, and a silent stack is no proof", () => {
    expect(differsFrom(ASKED, { ...EFFECTIVE, offload: "none" })).toEqual([]);
    expect(differsFrom(ASKED, undefined)).toEqual(["the stack has not said how it runs"]);
  });
});

describe("the host's load between two looks", () => {
  const look = (idle: number, steal: number, user: number) =>
    parseCpuTime(`cpu  ${user} 10 100 ${idle} 5 0 5 ${steal} 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n`);

  it.each([
    [look(1000, 0, 500), look(1050, 10, 540), { stealPercent: 10, busyPercent: 40 }],
    [look(1000, 0, 500), look(1000, 0, 600), { stealPercent: 0, busyPercent: 100 }],
    [look(1000, 0, 500), look(1000, 0, 500), { stealPercent: 0, busyPercent: 0 }],
  ])("%j to %j", (before, after, expected) => expect(hostLoad(before, after)).toEqual(expected));
});

describe("a load", () => {
  const PEAK = "00000000000000aa";
  const trial = makeTrial(9, { peak: PEAK }, { load: 50 });
  const peak = (number: number, value: number) =>
    makeResult(makeTrial(number, { cell: PEAK }), { values: { requests_per_second: value } });

  it("is a part of the median of its peak's trials", () => {
    const others = [
      makeResult(makeTrial(7)),
      makeResult(makeTrial(8, { cell: PEAK }), { status: "failed", values: {} }),
    ];
    expect(rateOf(trial, [peak(1, 100), peak(2, 900), peak(3, 300), ...others])).toBe(150);
    expect(rateOf(makeTrial(1), [])).toBeUndefined();
  });

  it("cannot be had without a peak, or of a stream", () => {
    expect(() => rateOf(trial, [])).toThrow("no peak to take 50 % of");
    expect(() => rateOf(makeTrial(9, { peak: PEAK }, { load: 50, workload: "bulk" }), [])).toThrow(
      "bulk cannot be asked",
    );
  });
});

describe("the stack's counters", () => {
  const thread = (kind: string, index: number, counters: Record<string, number>) => ({
    kind,
    index,
    drops: 0,
    counters,
  });
  const report = { distribution: "1kb", reason: "", workers: 1, dedicated: 1, queues: 1, threads: [] };
  const cycles = (idle: number, receive: number, steer: number) => ({
    ...{ "worker.cycles_idle": idle, "worker.cycles_receive": receive, "worker.cycles_steer": steer },
    ...{ "worker.rx_polled": 100 },
  });

  it("of a design with a distributor are the distributor's; drops are everybody's", () => {
    const threads = [
      thread("worker", 0, { ...cycles(1, 1, 1), "steer.drop_ring_full": 6 }),
      thread("distributor", 0, cycles(2000, 5000, 1000)),
      thread("interface", 0, {}),
    ];
    expect(telemetryValues({ seconds: 2, report, threads })).toEqual({
      ...{ distributed_frames_per_second: 50, distributor_busy: 75, ring_drops_per_second: 3 },
      ...{ distributor_cycles_receive: 50, distributor_cycles_steer: 10, distributor_cycles_transmit: 0 },
    });
  });

  it("without one are all workers', and what cannot be told is left out", () => {
    const threads = [thread("worker", 0, cycles(50, 25, 25)), thread("worker", 1, cycles(50, 25, 25))];
    expect(telemetryValues({ seconds: 1, report, threads })).toMatchObject({
      ...{ distributed_frames_per_second: 200, distributor_busy: 50, distributor_cycles_receive: 0.25 },
    });
    expect(telemetryValues({ seconds: 1, report, threads: [thread("worker", 0, {})] })).toEqual({
      ...{ distributed_frames_per_second: 0, ring_drops_per_second: 0 },
    });
  });
});

describe("a host's fitness", () => {
  const FIT: HostReadings = {
    ...{ cores: 16, hypervisor: false, stealPercent: 0, noise: { lostPercent: 0.01, longestUs: 90 } },
    ...{ accelerator: { accelerator: "kvm", reason: "/dev/kvm" }, governor: "performance", hugepagesMib: 4096 },
  };
  const TRIALS = [makeTrial(1, {}, { workers: 2, distribution: "2kb" })];
  const stamp = (readings: Partial<HostReadings>) => judgeFitness({ ...FIT, ...readings }, TRIALS).stamp;

  it("forbids nothing to a host that has all", () => {
    const { stamp: words, forbids, checks } = judgeFitness(FIT, TRIALS);
    expect([words, forbids]).toEqual([[], []]);
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual(
      ["cores", "accelerator", "hugepages", "governor", "steal", "noise"].map((name) => [name, true]),
    );
    expect(checks[0]?.detail).toContain("16 CPUs for 9 threads");
  });

  it.each([
    [{ cores: 8 }, "oversubscribed: absolute figures, scaling and latencies are not comparable"],
    [
      { accelerator: { accelerator: "tcg", reason: "no /dev/kvm" } },
      "TCG: absolute figures, scaling and latencies are not comparable",
    ],
    [{ governor: "powersave" }, "governor powersave: absolute figures, scaling and latencies are not comparable"],
    [{ stealPercent: 5 }, "stolen time: absolute figures, scaling and latencies are not comparable"],
    [{ noise: { lostPercent: 0.1, longestUs: 4000 } }, "noise: latencies are not comparable"],
    [{ noise: { lostPercent: 3, longestUs: 50 } }, "noise: latencies are not comparable"],
    [{ noise: "not known: not built" }, "noise: latencies are not comparable"],
    [{ hugepagesMib: 0 }, "no hugepages: absolute figures are not comparable"],
  ] as [Partial<HostReadings>, string][])("%j: %s", (readings, words) => expect(stamp(readings)).toEqual([words]));

  it("puts together what forbids the same, and asks nothing of virtual machines where there are none", () => {
    expect(stamp({ cores: 2, stealPercent: 9 })).toEqual([
      "oversubscribed/stolen time: absolute figures, scaling and latencies are not comparable",
    ]);
    const { accelerator: _, governor: __, ...processes } = FIT;
    const { checks, forbids } = judgeFitness({ ...processes, hugepagesMib: 0 }, TRIALS);
    expect(checks.map(({ name }) => name)).toEqual(["cores", "governor", "steal", "noise"]);
    expect(forbids).toEqual([]);
  });
});

describe("trials that are left", () => {
  const [first, second, third] = [makeTrial(1), makeTrial(2), makeTrial(3)];
  const results = [makeResult(first), makeResult(second, { status: "failed", values: {} })];

  it("are those without a result, and those that failed when they are asked for", () => {
    expect(pendingTrials([first, second, third], results, false)).toEqual([third]);
    expect(pendingTrials([first, second, third], results, true)).toEqual([second, third]);
  });
});

describe("the lab of a run", () => {
  it("has a name of its own, and memory for its CPUs", () => {
    expect(labName("a-run")).toMatch(/^run-[0-9a-f]{10}$/);
    expect(labName("a-run")).not.toBe(labName("another-run"));
    const settings = settingsOf("run-x", { machines: "vm", cpus: 4, queues: 2, spread: "hash" });
    expect(settings.map(({ path, text }) => `${path.join(".")}=${text}`)).toEqual([
      ...["name=run-x", "defaults.queues=2", "spread=hash", "defaults.stack.cores=4", "defaults.hugepages=448M"],
      ...["defaults.cpus=4", "defaults.memory=1152M"],
    ]);
  });
});
