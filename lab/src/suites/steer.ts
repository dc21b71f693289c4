/** Distribution of packets in software: each worker gets its share of the flows, and every packet of them. */
import type { ApplicationResult } from "../engine/application.js";
import { type CaseContext, Expectations, exchange, figure, figures, type Outcome, type TestCase } from "./case.js";

const PORT = "9999";
/**
 * The client's ports follow one another from a random one on. The flow hash is linear, so the flows of such a client fall
 * evenly into the buckets: by less than 1 % for 2 and 4 workers, by up to 7 % for 3. With ports at random the share of one
 * of 4 workers would be further than 10 % off in one run of five, by chance alone.
 */
const CONNECTIONS = 1000;
const TOLERANCE = 0.1;
const SECONDS = 2;

export const steerSuite: readonly TestCase[] = [
  {
    id: "steer.spread",
    title: `${CONNECTIONS} connections, evenly spread over the workers; every packet finds its connection`,
    run: spread,
  },
];

async function spread({ from, to, wait }: CaseContext): Promise<Outcome> {
  const { server, client } = await exchange(
    wait,
    { machine: to, application: "rpc_server", options: ["-l", PORT], endsItself: false },
    {
      machine: from,
      application: "rpc_client",
      options: ["-a", to.address, "-p", PORT, "-c", String(CONNECTIONS), "-d", String(SECONDS)],
    },
  );
  const { workers, distribution } = to.allocated.stack;
  const shares = sharesOf(server);
  const expect = new Expectations();
  expect.ended("rpc_client", client);
  expect.ended("rpc_server", server);
  // A packet at a worker that does not know its connection would be answered by a reset, and this counted.
  expect.equal("errors of the client", figure(client, "errors"), 0);
  expect.equal("errors of the server", figure(server, "errors"), 0);
  expect.equal("connections", figure(server, "connections"), CONNECTIONS);
  expect.atLeast("requests", figure(client, "requests"), CONNECTIONS);
  expect.equal("workers", shares.length, workers);
  // With direct the device spreads, and only its two ends know how.
  const inSoftware = distribution !== "direct" && to.allocated.queues < workers;
  if (inSoftware) for (const [worker, share] of shares.entries()) expectShare(expect, worker, share, workers);
  return {
    problems: expect.problems,
    figures: figures({
      connections: figure(server, "connections"),
      requests_completed: figure(client, "requests"),
      rps: figure(client, "rps"),
      shares: shares.join(" "),
      furthest_from_even: Math.max(...shares.map((share) => Math.abs(share / (CONNECTIONS / workers) - 1))),
    }),
  };
}

/** Connections of each worker. */
function sharesOf({ figures: all }: ApplicationResult): number[] {
  const workers: unknown[] = Array.isArray(all?.workers) ? all.workers : [];
  return workers.map((worker) => Number((worker as { readonly connections?: unknown }).connections));
}

function expectShare(expect: Expectations, worker: number, share: number, workers: number): void {
  const even = CONNECTIONS / workers;
  if (Math.abs(share - even) <= even * TOLERANCE) return;
  expect.problems.push(`connections of worker ${worker}: ${share}, expected ${even.toFixed(0)} within 10 %`);
}
