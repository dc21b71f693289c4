import { describe, expect, it } from "vitest";
import { cyclesPerFrame, distributionTable, stacksOf } from "./distribution.js";

const look = (frames: number, work: number, receive: number) =>
  JSON.stringify({
    event: "stack",
    threads: [
      { kind: "worker", counters: { "worker.rx_frames": frames, "worker.cycles_protocol": work } },
      { kind: "worker", counters: { "worker.rx_frames": frames, "worker.cycles_protocol": work } },
      { kind: "distributor", counters: { "worker.cycles_receive": receive } },
    ],
  });

describe("cycles per frame", () => {
  const [before, after] = stacksOf(`text\n${look(100, 1000, 0)}\n${look(200, 61000, 4000)}\n{"event":"other"}\n`);
  it("are what the counters grew by, over the frames of all workers", () => {
    expect(before && after && cyclesPerFrame(before, after, (kind) => kind === "worker")).toMatchObject({
      protocol: 600,
      receive: 0,
    });
    expect(before && after && cyclesPerFrame(before, after, (kind) => kind !== "worker")).toMatchObject({
      receive: 20,
    });
  });
});

describe("distributionTable", () => {
  it("says what is not measured", () => {
    const none = { receive: 0, steer: 0, protocol: 0, transmit: 0, application: 0 };
    const cost = { threads: 2, cpus: 1, requestsPerSecond: 10, framesPerSecond: 10, workers: none, dedicated: none };
    const scaling = "not measured: more threads than cores" as const;
    expect(distributionTable({ steer: null, designs: [{ design: "shared", ...cost, scaling }] })).toBe(
      "one core hashes and hands over: not measured\n" +
        "shared  2 thread(s) on 1 core(s): 10 req/s (scaling is not measured)\n" +
        "        cycles a frame: workers receive 0 steer 0 protocol 0 transmit 0 application 0\n",
    );
  });
});
