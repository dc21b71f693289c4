// SPDX-License-Identifier: BSD-3-Clause
// What a switch costs that has nothing to do, by the kernel's own account of the process: gRPC, DPDK's threads, worker.
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { link, module, port } from "./testing/build.js";
import { Daemon, whyNoDataPlane } from "./testing/daemon.js";
import { Testpmd, whyNoTestpmd } from "./testing/testpmd.js";
import { until } from "./testing/until.js";

const why = whyNoDataPlane() ?? whyNoTestpmd();
if (why !== undefined) console.warn(`skipped: ${why}`);

const NAMES = ["v0", "v1"];
const MEASURED_S = 5;
/** USER_HZ, which Linux has fixed at 100 for programs. */
const TICKS_A_SECOND = 100;
const MOST_OF_A_CORE = 0.15;

/** Processor time that the process has used, in ticks. */
function ticks(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(afterName[11]) + Number(afterName[12]);
}

describe.skipIf(why !== undefined)("a switch without traffic", { timeout: 120_000 }, () => {
  let daemon: Daemon;
  let peers: Testpmd[] = [];

  beforeEach(async () => {
    daemon = await Daemon.start();
    const { rpc } = daemon;
    await module(rpc, "sw", "L2SwitchArg", { ports: NAMES.length });
    for (const [n, name] of NAMES.entries()) {
      await port(rpc, name, `net_vhost${n},iface=${daemon.path(name)}`);
      await module(rpc, `in_${name}`, "QueueIncArg", { port: name });
      await module(rpc, `out_${name}`, "QueueOutArg", { port: name });
      await module(rpc, `impair_${name}`, "ImpairArg", {});
      await link(rpc, `in_${name} -> impair_${name}`);
      await link(rpc, `impair_${name} -> ${n}:sw`);
      await link(rpc, `sw:${n} -> out_${name}`);
    }
    await rpc.ok("ResumeAll");
  });
  afterEach(async () => {
    await Promise.all(peers.map((peer) => peer.end()));
    await daemon.stop();
    peers = [];
  });

  it("and two guests uses less than 15 % of a core", async () => {
    for (const [n, name] of NAMES.entries()) {
      peers.push(
        await Testpmd.start({ socket: daemon.path(name), mac: `02:00:00:00:00:0${n + 1}`, mode: "rxonly", core: 1 }),
      );
      await until(
        () => daemon.rpc.ok("GetLinkStatus", { name }),
        ({ link_up }) => link_up,
      );
    }
    const before = ticks(daemon.pid);
    await new Promise((resolve) => setTimeout(resolve, MEASURED_S * 1000));
    const share = (ticks(daemon.pid) - before) / TICKS_A_SECOND / MEASURED_S;
    console.log(`idle with two guests: ${(share * 100).toFixed(1)} % of a core`);
    expect(share).toBeLessThan(MOST_OF_A_CORE);
  });
});
