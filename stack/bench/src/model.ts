/**
 * A model, not a measurement: from cycles per frame it predicts what each design of distribution would serve on so
 * many cores with one queue. Everything that a model leaves out (caches that the cores share, memory, a hypervisor)
 * makes reality slower.
 */
import { DESIGNS, type Design, type DesignCost, type Distribution } from "./distribution.js";

export interface Costs {
  /** Cycles a second of a core. */
  hz: number;
  /** Cycles per frame: taking it from the queue, hashing it and putting it into a ring, handing its answer over. */
  receive: number;
  steer: number;
  transmit: number;
  /** Protocol, sockets and application. */
  work: number;
  /** Taking it out of a ring and putting the answer into one. */
  ring: number;
}

export interface Prediction {
  design: Design;
  cores: number;
  perSecond: number;
  /** What it is that limits. */
  limit: "workers" | "receiving core" | "transmitting core" | "lock of the queue" | "no core left for a worker";
}

type Limit = readonly [Prediction["limit"], number];

/** The limits of a design on so many cores; the smallest one holds. */
function limits(design: Design, cores: number, { hz, receive, steer, transmit, work, ring }: Costs): Limit[] {
  const all = receive + transmit + work;
  switch (design) {
    case "direct": // a queue for each core: the device distributes
      return [["workers", (cores * hz) / all]];
    case "shared": // receiving and transmitting run under a lock each, on whichever core has it
      return cores === 1
        ? [["workers", hz / all]]
        : [
            ["workers", (cores * hz) / (all + steer + ring)],
            ["lock of the queue", hz / Math.max(receive + steer, transmit)],
          ];
    case "1kb":
      return [
        ["workers", ((cores - 1) * hz) / (work + ring)],
        ["receiving core", hz / (receive + steer + transmit)],
      ];
    case "2kb":
      return [
        ["workers", ((cores - 2) * hz) / (work + ring)],
        ["receiving core", hz / (receive + steer)],
        ["transmitting core", hz / transmit],
      ];
  }
}

export function predict(design: Design, cores: number, costs: Costs): Prediction {
  const [limit, perSecond] = limits(design, cores, costs).reduce((least, next) => (next[1] < least[1] ? next : least));
  if (perSecond <= 0) return { design, cores, perSecond: 0, limit: "no core left for a worker" };
  return { design, cores, perSecond, limit };
}

/** The number of cores from which one more adds nothing; undefined where that never comes within `most`. */
export function saturation(design: Design, costs: Costs, most = 64): number | undefined {
  for (let cores = 1; cores < most; cores += 1) {
    const now = predict(design, cores, costs);
    if (now.perSecond > 0 && now.limit !== "workers") return cores;
  }
  return undefined;
}

/**
 * Costs out of what was measured: of a worker by itself from `direct`, of distributing from `1kb`, whose dedicated
 * thread does nothing else. A ring costs what a worker of 1kb spends on steering and transmitting.
 */
export function costsOf({ designs }: Distribution, hz: number): Costs {
  const of = (design: Design): DesignCost => {
    const cost = designs.find((one) => one.design === design);
    if (cost === undefined) throw new Error(`design ${design} was not measured`);
    return cost;
  };
  const { workers } = of("direct");
  const { dedicated, workers: fed } = of("1kb");
  return {
    hz,
    receive: workers.receive,
    transmit: workers.transmit,
    work: workers.protocol + workers.application,
    steer: dedicated.steer,
    ring: fed.steer + fed.transmit,
  };
}

export function modelTable(costs: Costs, cores: readonly number[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const figures = DESIGNS.map((design) => [
    design,
    ...cores.map((n) => (predict(design, n, costs).perSecond / 1e6).toFixed(2)),
    ...[saturation(design, costs)].map((n) => {
      return n === undefined ? "none up to 64" : `${n} cores: ${predict(design, n, costs).limit}`;
    }),
  ]);
  return [
    row(["model: M requests/s", ...cores.map((n) => `${n} core${n > 1 ? "s" : ""}`), "saturates at"]),
    row(Array.from({ length: cores.length + 2 }, () => "---")),
    ...figures.map(row),
    "",
  ].join("\n");
}

/** Where a design had a core for each thread: what was measured beside what the model says. */
export function checkTable({ designs }: Distribution, costs: Costs): string {
  const lines = designs.map(({ design, threads, scaling, requestsPerSecond }) => {
    const predicted = predict(design, threads, costs).perSecond;
    if (scaling !== "measured") return `${design}, ${threads} cores: not checked here, this host has too few cores`;
    const off = Math.round(100 * (predicted / requestsPerSecond - 1));
    return `${design}, ${threads} core(s): model ${Math.round(predicted)}, measured ${Math.round(requestsPerSecond)} (${off} %)`;
  });
  return `${lines.join("\n")}\n`;
}
