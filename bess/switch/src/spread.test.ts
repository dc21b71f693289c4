// SPDX-License-Identifier: BSD-3-Clause
// HashLB before the queues of a guest: what the guest finds in each, testpmd processes as guests.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { link, module, port } from "./testing/build.js";
import { Daemon, whyNoDataPlane } from "./testing/daemon.js";
import { Testpmd, whyNoTestpmd } from "./testing/testpmd.js";
import { until } from "./testing/until.js";

const why = whyNoDataPlane() ?? whyNoTestpmd();
if (why !== undefined) console.warn(`skipped: ${why}`);

const QUEUES = 4;
const ENOUGH = 10_000;
const SENDER = "02:00:00:00:00:01";
const RECEIVER = "02:00:00:00:00:02";

const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0);

describe.skipIf(why !== undefined)("a guest with 4 queues behind a HashLB", { timeout: 120_000 }, () => {
  let daemon: Daemon;
  let peers: Testpmd[];

  /** A receiver that listens, while a guest with one queue sends. */
  const receive = async (flows: "one" | "many") => {
    const at = { core: 1, mac: RECEIVER, mode: "rxonly", socket: daemon.path("b"), queues: QUEUES } as const;
    const receiver = await Testpmd.start(at);
    peers.push(receiver);
    receiver.command("start");
    await until(
      async () => (await daemon.rpc.ok("GetLinkStatus", { name: "b" })).link_up,
      (up) => up,
    );
    const from = { core: 1, mac: SENDER, mode: "txonly", socket: daemon.path("a"), to: RECEIVER } as const;
    const sender = await Testpmd.start({ ...from, flows });
    peers.push(sender);
    sender.command("start");
    return receiver;
  };
  const byGate = async () => (await daemon.rpc.ok("GetModuleInfo", { name: "spread" })).ogates.map(({ pkts }) => pkts);

  beforeEach(async () => {
    daemon = await Daemon.start();
    peers = [];
    const { rpc } = daemon;
    await port(rpc, "a", `eth_vhost0,iface=${daemon.path("a")},queues=1`);
    await port(rpc, "b", `eth_vhost1,iface=${daemon.path("b")},queues=${QUEUES}`, QUEUES);
    await module(rpc, "in", "QueueIncArg", { port: "a" });
    const gates = Array.from({ length: QUEUES }, (_, qid) => qid);
    await module(rpc, "spread", "HashLBArg", { gates });
    await link(rpc, "in -> spread");
    for (const qid of gates) {
      await module(rpc, `out${qid}`, "QueueOutArg", { port: "b", qid });
      await link(rpc, `spread:${qid} -> out${qid}`);
    }
    await rpc.ok("ResumeAll");
  }, 60_000);
  afterEach(async () => {
    for (const each of peers) await each.end();
    await daemon.stop();
  }, 60_000);

  it("finds many flows of one sender's queue in all of them", async () => {
    const receiver = await receive("many");
    const received = await until(
      () => receiver.receivedByQueue(),
      (counts) => counts.length === QUEUES && counts.every((n) => n > ENOUGH / QUEUES),
    );
    for (const n of received) expect(n / sum(received)).toBeLessThan(0.5);
  });

  it("finds one flow in one of them, the one of the gate that has it", async () => {
    const receiver = await receive("one");
    const received = await until(
      () => receiver.receivedByQueue(),
      (counts) => sum(counts) > ENOUGH,
    );
    const busy = (counts: number[]) => counts.flatMap((n, queue) => (n > 0 ? [queue] : []));
    expect(busy(received)).toHaveLength(1);
    expect(busy(await byGate())).toEqual(busy(received));
  });
});
