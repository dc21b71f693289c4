// SPDX-License-Identifier: BSD-3-Clause
// Three vhost-user ports wired as one Ethernet segment, testpmd processes as guests: what arrives where, that the
// counters of both sides add up, and what happens when a peer dies.
import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { command, link, module, port } from "./testing/build.js";
import { Daemon, whyNoDataPlane } from "./testing/daemon.js";
import { Testpmd, whyNoTestpmd } from "./testing/testpmd.js";
import { until } from "./testing/until.js";

const why = whyNoDataPlane() ?? whyNoTestpmd();
if (why !== undefined) console.warn(`skipped: ${why}`);

const PORTS = [0, 1, 2];
const mac = (n: number) => `02:00:00:00:00:0${n + 1}`;
const BROADCAST = "ff:ff:ff:ff:ff:ff";

describe.skipIf(why !== undefined)("guests on a segment", { timeout: 120_000 }, () => {
  let daemon: Daemon;
  let peers: Testpmd[];

  const socket = (n: number) => daemon.path(`v${n}`);
  const linkUp = async (n: number) => (await daemon.rpc.ok("GetLinkStatus", { name: `v${n}` })).link_up;
  const peer = async (n: number, mode: "txonly" | "rxonly", to?: string) => {
    const at = { socket: socket(n), mac: mac(n), mode, core: 1 };
    const started = await Testpmd.start(to === undefined ? at : { ...at, to });
    peers.push(started);
    await until(
      () => linkUp(n),
      (up) => up,
    );
    return started;
  };
  /** [received from the guest, given to the guest, not taken by the guest] */
  const counts = (n: number) =>
    daemon.rpc
      .ok("GetPortStats", { name: `v${n}` })
      .then(({ inc, out }) => ({ inc: inc?.packets ?? 0, out: out?.packets ?? 0, dropped: out?.dropped ?? 0 }));
  const moved = (n: number, atLeast: number) =>
    until(
      () => counts(n),
      ({ inc, out }) => inc + out >= atLeast,
    );
  /** Sends for a while and stops; the guest's and the switch's counts have settled. */
  const burst = async (sender: Testpmd, receiver: Testpmd) => {
    receiver.command("start");
    sender.command("start");
    await moved(0, 20_000);
    sender.command("stop");
    return until(
      async () => ({
        sent: (await sender.count()).sent,
        got: (await receiver.count()).received,
        ports: await Promise.all(PORTS.map(counts)),
      }),
      ({ sent, got, ports: [v0, v1] }) => sent === v0?.inc && got === v1?.out && v0.inc === v1.out + v1.dropped,
    );
  };

  beforeEach(async () => {
    daemon = await Daemon.start();
    peers = [];
    const { rpc } = daemon;
    for (const n of PORTS) {
      await port(rpc, `v${n}`, `eth_vhost${n},iface=${socket(n)},queues=1`);
      await module(rpc, `out${n}`, "QueueOutArg", { port: `v${n}` });
    }
    for (const n of PORTS) {
      const others = PORTS.filter((other) => other !== n);
      await module(rpc, `in${n}`, "QueueIncArg", { port: `v${n}` });
      await module(rpc, `fib${n}`, "L2ForwardArg", {});
      await module(rpc, `flood${n}`, "ReplicateArg", { gates: [0, 1] });
      await link(rpc, `in${n} -> fib${n}`);
      await link(rpc, `fib${n}:9 -> flood${n}`);
      for (const [gate, other] of others.entries()) {
        await link(rpc, `fib${n}:${other} -> out${other}`);
        await link(rpc, `flood${n}:${gate} -> out${other}`);
      }
      const entries = others.map((other) => ({ addr: mac(other), gate: other }));
      await command(rpc, `fib${n}.add`, "L2ForwardCommandAddArg", { entries });
      await command(rpc, `fib${n}.set_default_gate`, "L2ForwardCommandSetDefaultGateArg", { gate: 9 });
    }
    await rpc.ok("ResumeAll");
  }, 60_000);
  afterEach(async () => {
    for (const each of peers) await each.end();
    await daemon.stop();
  }, 60_000);

  it("a frame to a known MAC reaches that guest alone, and every frame is accounted for", async () => {
    const receiver = await peer(1, "rxonly");
    const sender = await peer(0, "txonly", mac(1));
    const { sent, ports } = await burst(sender, receiver);
    expect(sent).toBeGreaterThanOrEqual(20_000);
    expect(ports[1]?.out).toBeGreaterThan(0);
    expect([ports[0]?.out, ports[0]?.dropped, ports[2]?.out, ports[2]?.dropped]).toEqual([0, 0, 0, 0]);
  });

  it("a broadcast frame is sent to every other port once and never back", async () => {
    const receiver = await peer(1, "rxonly");
    const sender = await peer(0, "txonly", BROADCAST);
    const { sent, ports } = await burst(sender, receiver);
    expect([ports[0]?.out, ports[0]?.dropped]).toEqual([0, 0]);
    expect((ports[2]?.out ?? 0) + (ports[2]?.dropped ?? 0)).toBe(sent); // nobody there: refused, each one counted
    expect((await daemon.rpc.ok("DumpMempool", { socket: -1 })).dumps).toMatchObject([{ mp_in_use_count: 0 }]);
  });

  it("a guest that is killed loses its link alone; the next one on the socket gets frames again", async () => {
    const first = await peer(1, "rxonly");
    const sender = await peer(0, "txonly", mac(1));
    first.command("start");
    sender.command("start");
    await moved(1, 1000);
    await first.end("SIGKILL");
    await until(
      () => linkUp(1),
      (up) => !up,
    );
    const { out, dropped } = await counts(1);
    await until(
      () => counts(1),
      (now) => now.dropped > dropped + 1000,
    );
    expect(await linkUp(0)).toBe(true);
    const second = await peer(1, "rxonly");
    second.command("start");
    await moved(1, out + 1000);
    expect((await second.count()).received).toBeGreaterThan(0);
  });

  it("all can be taken away under traffic", async () => {
    const receiver = await peer(1, "rxonly");
    const sender = await peer(0, "txonly", mac(1));
    receiver.command("start");
    sender.command("start");
    await moved(1, 1000);
    expect((await daemon.rpc.call("DestroyPort", { name: "v1" })).error?.code).toBe(16);
    await daemon.rpc.ok("ResetAll");
    expect(PORTS.map((n) => existsSync(socket(n)))).toEqual([false, false, false]);
    expect((await daemon.rpc.ok("GetVersion")).version).toContain("vportd");
  });

  it("the switch ends under traffic and takes its sockets along", async () => {
    const receiver = await peer(1, "rxonly");
    const sender = await peer(0, "txonly", BROADCAST);
    receiver.command("start");
    sender.command("start");
    await moved(1, 1000);
    expect(await daemon.end("SIGTERM")).toBe(0);
    expect(PORTS.map((n) => existsSync(socket(n)))).toEqual([false, false, false]);
  });
});
