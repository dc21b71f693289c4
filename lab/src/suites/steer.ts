/** Distribution of packets in software: each worker gets its share of the flows, and every packet of them. */
import type { ApplicationResult } from "../engine/application.js";
import { readStackReport, type StackReport } from "../engine/stack-report.js";
import type { AllocatedMachine } from "../model/deployment.js";
import { firstNic } from "../model/topology.js";
import { type CaseContext, Expectations, figure, figures, type Outcome, type TestCase } from "./case.js";

const PORT = "9999";
/**
 * The client's ports follow one another from a random one on. The flow hash is linear, so the flows of such a client fall
 * evenly into the buckets: by less than 1 % for 2 and 4 workers, by up to 7 % for 3. With ports at random the share of one
 * of 4 workers would be further than 10 % off in one run of five, by chance alone.
 */
const CONNECTIONS = 1000;
const TOLERANCE = 0.1;
const SECONDS = 2;
/**
 * A packet at a worker that does not know its connection is answered with a reset, which would end the connection, too;
 * the others count packets lost on the way to a worker.
 */
const NEVER = [
  ...["tcp.drop_no_connection", "tcp.tx_resets"],
  ...["steer.drop_ring_full", "steer.drop_park_full", "steer.drop_absent", "worker.pin_failed"],
];

export const steerSuite: readonly TestCase[] = [
  {
    id: "steer.spread",
    title: `${CONNECTIONS} connections, evenly spread over the workers; every packet finds its connection`,
    notFor: ({ to }) =>
      to.allocated.stack.kind === "kernel" ? `the stack of ${to.name} is its kernel, which tells nothing` : undefined,
    run: spread,
  },
];

async function spread({ from, to, wait }: CaseContext): Promise<Outcome> {
  const options = ["-a", to.address, "-p", PORT, "-c", String(CONNECTIONS), "-d", String(SECONDS)];
  await using serving = await to.start("rpc_server", ["-l", PORT]);
  await serving.listening(wait);
  await using asking = await from.start("rpc_client", options);
  const client = await asking.result(wait);
  const report = await readStackReport(to);
  const server = await serving.stop();
  const expect = new Expectations();
  expect.ended("rpc_client", client);
  expect.ended("rpc_server", server);
  expect.equal("errors of the client", figure(client, "errors"), 0);
  expect.equal("errors of the server", figure(server, "errors"), 0);
  expect.equal("connections", figure(server, "connections"), CONNECTIONS);
  expect.atLeast("requests", figure(client, "requests"), CONNECTIONS);
  const shares = sharesOf(server);
  expectShares(expect, shares, to.allocated);
  expectOwners(expect, report, shares, to.allocated);
  const counts = (name: string) =>
    report.threads.map(({ counters }) => counters[name] ?? 0).filter((count) => count > 0);
  return {
    problems: expect.problems,
    figures: figures({
      design: report.distribution,
      connections: figure(server, "connections"),
      requests_completed: figure(client, "requests"),
      rps: figure(client, "rps"),
      shares: shares.join(" "),
      furthest_from_even: Math.max(...shares.map((share) => Math.abs((share * shares.length) / CONNECTIONS - 1))),
      frames: counts("worker.rx_frames").join(" "),
      frames_by_ring: counts("worker.rx_ring_frames").join(" "),
      dropped: droppedBy(report).join(", "),
    }),
  };
}

/** Connections of each worker. */
function sharesOf({ figures: all }: ApplicationResult): number[] {
  const workers: unknown[] = Array.isArray(all?.workers) ? all.workers : [];
  return workers.map((worker) => Number((worker as { readonly connections?: unknown }).connections));
}

function expectShares(expect: Expectations, shares: readonly number[], machine: AllocatedMachine): void {
  const { stack } = machine;
  expect.equal("workers", shares.length, stack.workers);
  // With a queue for each the device spreads, and only its two ends know how.
  if (firstNic(machine).queues >= stack.workers && (stack.distribution === "direct" || stack.distribution === "auto"))
    return;
  const even = CONNECTIONS / stack.workers;
  for (const [worker, share] of shares.entries()) {
    if (Math.abs(share - even) <= even * TOLERANCE) continue;
    expect.problems.push(`connections of worker ${worker}: ${share}, expected ${even.toFixed(0)} within 10 %`);
  }
}

/** What was dropped, and why: at the end, when both sides close, segments for what is closed already. */
function droppedBy({ threads }: StackReport): string[] {
  const sums = new Map<string, number>();
  for (const [name, count] of threads.flatMap(({ counters }) => Object.entries(counters))) {
    if (name.includes(".drop_")) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return [...sums].map(([name, count]) => `${name} ${count}`);
}

function inOrder(counts: readonly number[]): string {
  return counts.toSorted((a, b) => a - b).join(" ");
}

/** What the stack itself counts, worker by worker. */
function expectOwners(
  expect: Expectations,
  { distribution, workers, dedicated, threads }: StackReport,
  shares: readonly number[],
  { stack }: AllocatedMachine,
): void {
  if (stack.distribution !== "auto") expect.equal("design", distribution, stack.distribution);
  expect.equal("workers of the stack", workers, stack.workers);
  expect.equal("threads that only distribute", dedicated, stack.cores - stack.workers);
  for (const { kind, index, counters } of threads) {
    for (const name of NEVER) expect.equal(`${name} of ${kind} ${index}`, counters[name] ?? 0, 0);
  }
  const accepted = threads
    .filter(({ kind }) => kind === "worker")
    .map(({ counters }) => counters["tcp.opened_passive"] ?? 0);
  // A thread's place among those of the application need not be its worker's number.
  expect.equal("connections accepted by the workers", inOrder(accepted), inOrder(shares));
}
