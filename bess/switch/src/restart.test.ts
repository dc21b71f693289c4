// SPDX-License-Identifier: BSD-3-Clause
// The switch is killed under two guests that stay: what they have to do when it is back, which is nothing. The guests
// make the sockets here, because DPDK's virtio_user connects again only so; QEMU does it as a client too, which the
// scenarios between virtual machines show.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { link, module, port } from "./testing/build.js";
import { Daemon, whyNoDataPlane } from "./testing/daemon.js";
import { Testpmd, whyNoTestpmd } from "./testing/testpmd.js";
import { until } from "./testing/until.js";

const why = whyNoDataPlane() ?? whyNoTestpmd();
if (why !== undefined) console.warn(`skipped: ${why}`);

const mac = (n: number) => `02:00:00:00:00:0${n + 1}`;

describe.skipIf(why !== undefined)("a switch that is killed", { timeout: 180_000 }, () => {
  let dir: string;
  const peers: Testpmd[] = [];
  const daemons: Daemon[] = [];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "vportd-restart-"));
  });
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.end("SIGKILL");
    for (const daemon of daemons.splice(0)) await daemon.stop();
    rmSync(dir, { recursive: true });
  }, 60_000);

  const socket = (n: number) => join(dir, `v${n}`);

  /** Two ports, each leading to the other. */
  async function start(): Promise<Daemon> {
    const daemon = await Daemon.start();
    daemons.push(daemon);
    for (const n of [0, 1]) {
      await port(daemon.rpc, `v${n}`, `eth_vhost${n},iface=${socket(n)},queues=1,client=1`);
      await module(daemon.rpc, `in${n}`, "QueueIncArg", { port: `v${n}` });
      await module(daemon.rpc, `out${n}`, "QueueOutArg", { port: `v${n}` });
    }
    await link(daemon.rpc, "in0 -> out1");
    await link(daemon.rpc, "in1 -> out0");
    await daemon.rpc.ok("ResumeAll");
    return daemon;
  }

  const delivered = (daemon: Daemon) =>
    daemon.rpc.ok("GetPortStats", { name: "v1" }).then(({ out }) => out?.packets ?? 0);

  it("is found again by guests that go on sending and receiving", async () => {
    const first = await start();
    for (const n of [0, 1]) {
      const mode = n === 0 ? "txonly" : "rxonly";
      peers.push(await Testpmd.start({ socket: socket(n), mac: mac(n), mode, to: mac(1), core: 1, server: true }));
    }
    for (const peer of peers) peer.command("start");
    await until(
      () => delivered(first),
      (n) => n > 1000,
    );
    expect(await first.end("SIGKILL")).toBe("SIGKILL");
    const before = (await peers[1]?.count())?.received ?? 0;
    const second = await start();
    await until(
      () => delivered(second),
      (n) => n > 1000,
    );
    await until(
      async () => (await peers[1]?.count())?.received ?? 0,
      (n) => n > before + 1000,
    );
  });
});
