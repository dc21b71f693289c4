// SPDX-License-Identifier: BSD-3-Clause
// The contract over DPDK, and what a fake cannot show: packets, sockets, the end of the process.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "@vnflab/bess-proto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { link, module, port } from "./testing/build.js";
import { contractSuite } from "./testing/contract.js";
import { Daemon, runToEnd, runtimeDir, whyNoDataPlane } from "./testing/daemon.js";
import type { Rpc } from "./testing/rpc.js";
import { until } from "./testing/until.js";

const why = whyNoDataPlane();
if (why !== undefined) console.warn(`skipped: ${why}`);

const pmd = (name: string, vdev: string, num_inc_q = 1) => ({
  name,
  driver: "PMDPort",
  num_inc_q,
  arg: pack("PMDPortArg", { vdev }),
});

async function packetsOf(rpc: Rpc, name: string): Promise<number[]> {
  return (await rpc.ok("GetModuleInfo", { name })).ogates.map(({ pkts }) => pkts);
}

/** VHOST_USER_GET_FEATURES: request 1, version 1, no payload; the reply carries 64 bits. */
function vhostFeatures(path: string): Promise<bigint> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])));
    socket.once("data", (reply: Buffer) => {
      socket.destroy();
      resolve(reply.readBigUInt64LE(12));
    });
    socket.once("error", reject);
  });
}

describe.skipIf(why !== undefined)("over DPDK", { timeout: 60_000 }, () => {
  contractSuite("DPDK", async () => Daemon.start());

  describe("one daemon, empty before each test:", () => {
    let daemon: Daemon;
    let rpc: Rpc;
    beforeAll(async () => {
      daemon = await Daemon.start();
      rpc = daemon.rpc;
    }, 60_000);
    afterAll(() => daemon.stop());
    beforeEach(() => rpc.ok("ResetAll"));

    it("packets flow while the worker runs and stand while it is paused", async () => {
      await module(rpc, "src", "SourceArg", {});
      await module(rpc, "s", "SinkArg", {});
      await link(rpc, "src -> s");
      await rpc.ok("ResumeAll");
      await until(
        () => packetsOf(rpc, "src"),
        ([n = 0]) => n > 1000,
      );
      await rpc.ok("PauseAll");
      const [before] = await packetsOf(rpc, "src");
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await packetsOf(rpc, "src")).toEqual([before]);
      await rpc.ok("ResumeAll");
      await until(
        () => packetsOf(rpc, "src"),
        ([n = 0]) => n > (before ?? 0),
      );
    });

    it("packets are counted as deadends where nothing is connected, and no buffer is lost", async () => {
      await module(rpc, "src", "SourceArg", {});
      await rpc.ok("ResumeAll");
      await until(
        () => rpc.ok("GetModuleInfo", { name: "src" }),
        ({ deadends }) => deadends > 1000,
      );
      await rpc.ok("PauseAll");
      const { deadends } = await rpc.ok("GetModuleInfo", { name: "src" });
      expect((await rpc.ok("ListWorkers")).workers_status).toMatchObject([{ silent_drops: deadends }]);
      expect((await rpc.ok("DumpMempool", { socket: -1 })).dumps).toMatchObject([{ mp_in_use_count: 0 }]);
    });

    it("packets leave a Replicate by gate 0 and by the second and later gates of its list", async () => {
      await module(rpc, "src", "SourceArg", {});
      await module(rpc, "r", "ReplicateArg", { gates: [1, 2] });
      for (const gate of [0, 1, 2]) {
        await module(rpc, `s${gate}`, "SinkArg", {});
        await link(rpc, `r:${gate} -> s${gate}`);
      }
      await link(rpc, "src -> r");
      await rpc.ok("ResumeAll");
      await until(
        () => packetsOf(rpc, "r"),
        ([n = 0]) => n > 1000,
      );
      await rpc.ok("PauseAll");
      const [original = 0, first, second] = await packetsOf(rpc, "r");
      expect([first, second]).toEqual([0, original]);
    });

    it("packets cross ports: a ring port returns what it is sent; both directions are counted", async () => {
      await port(rpc, "ring", "net_ring0");
      await module(rpc, "src", "SourceArg", { pkt_size: 100 });
      await module(rpc, "out", "PortOutArg", { port: "ring" });
      await module(rpc, "in", "PortIncArg", { port: "ring" });
      await module(rpc, "s", "SinkArg", {});
      await link(rpc, "src -> out");
      await link(rpc, "in -> s");
      await rpc.ok("ResumeAll");
      await until(
        () => packetsOf(rpc, "in"),
        ([n = 0]) => n > 1000,
      );
      await rpc.ok("DestroyModule", { name: "src" });
      const stats = await until(
        () => rpc.ok("GetPortStats", { name: "ring" }),
        ({ inc, out }) => (inc?.packets ?? 0) === (out?.packets ?? -1),
      );
      expect(stats.inc?.packets).toBeGreaterThan(1000);
    });

    it("packets are counted by a Track with bits, each with Ethernet's 24 bytes", async () => {
      await module(rpc, "src", "SourceArg", { pkt_size: 100 });
      await module(rpc, "s", "SinkArg", {});
      await link(rpc, "src -> s");
      const hook = { class_name: "Track", module_name: "src", ogate: 0 };
      await rpc.ok("ConfigureGateHook", { hook, enable: false });
      await rpc.ok("ConfigureGateHook", { hook: { ...hook, arg: pack("TrackArg", { bits: true }) }, enable: true });
      await rpc.ok("ResumeAll");
      await until(
        () => packetsOf(rpc, "src"),
        ([n = 0]) => n > 1000,
      );
      await rpc.ok("PauseAll");
      const [gate] = (await rpc.ok("GetModuleInfo", { name: "src" })).ogates;
      expect(gate?.bytes).toBe((gate?.pkts ?? 0) * 124);
      await rpc.ok("GateHookCommand", { hook: { ...hook, hook_name: "track0" }, cmd: "reset" });
      expect(await packetsOf(rpc, "src")).toEqual([0]);
    });

    it("packets from two workers may share one output queue", async () => {
      await port(rpc, "ring", "net_ring0");
      for (const n of [1, 2]) {
        await rpc.ok("AddWorker", { wid: n, core: 0 });
        await module(rpc, `src${n}`, "SourceArg", {});
      }
      await module(rpc, "out", "QueueOutArg", { port: "ring" });
      await link(rpc, "src1 -> out");
      await link(rpc, "src2 -> out");
      await rpc.ok("ResumeAll");
      await until(
        async () => [...(await packetsOf(rpc, "src1")), ...(await packetsOf(rpc, "src2"))],
        (counts) => counts.every((n) => n > 1000),
      );
      await rpc.ok("PauseAll");
      const sent = [...(await packetsOf(rpc, "src1")), ...(await packetsOf(rpc, "src2"))].reduce((a, b) => a + b);
      const { out } = await rpc.ok("GetPortStats", { name: "ring" });
      expect((out?.packets ?? 0) + (out?.dropped ?? 0)).toBe(sent);
    });

    // ---- vhost-user ports ----

    it("vhost ports listen on their socket until destroyed; MAC and link are bessd's", async () => {
      const path = daemon.path("v0");
      const { mac_addr } = await rpc.ok("CreatePort", pmd("v0", `eth_vhost0,iface=${path},queues=1`));
      expect(mac_addr).toMatch(/^56:48:4f:53:54:/);
      expect(existsSync(path)).toBe(true);
      const status = await rpc.ok("GetLinkStatus", { name: "v0" });
      expect(status).toMatchObject({ speed: 10000, full_duplex: true, link_up: false });
      await rpc.ok("DestroyPort", { name: "v0" });
      expect(existsSync(path)).toBe(false);
    });

    it("vhost ports offer a guest no offload that would need somebody to finish its frames", async () => {
      const path = daemon.path("v1");
      await rpc.ok("CreatePort", pmd("v1", `net_vhost1,iface=${path},queues=1`));
      const features = await vhostFeatures(path);
      const offered = (bit: number) => ((features >> BigInt(bit)) & 1n) === 1n;
      // CSUM, GUEST_CSUM, GUEST_TSO4/6, GUEST_ECN, GUEST_UFO, HOST_TSO4/6, HOST_ECN, HOST_UFO
      for (const bit of [0, 1, 7, 8, 9, 10, 11, 12, 13, 14]) expect([bit, offered(bit)]).toEqual([bit, false]);
      for (const bit of [15, 32]) expect([bit, offered(bit)]).toEqual([bit, true]); // MRG_RXBUF, VERSION_1
    });

    it.each([
      ["a file that is there", (path: string) => writeFileSync(path, "precious")],
      ["a socket that somebody serves", (path: string) => serve(path)],
    ])("vhost ports do not touch %s", async (_what, occupy) => {
      const path = daemon.path(`occupied${Math.random()}`);
      await occupy(path);
      const { error } = await rpc.call("CreatePort", pmd("v2", `net_vhost2,iface=${path}`));
      expect(error).toEqual({ code: 1, errmsg: "rte_eth_dev_configure() failed" });
      expect(existsSync(path)).toBe(true);
      expect(daemon.log).toContain(path);
      rmSync(path);
      await rpc.ok("CreatePort", pmd("v2", `net_vhost2,iface=${path}`));
    });

    it("vhost ports cannot have more queues than the device, nor another MTU", async () => {
      const vdev = `net_vhost3,iface=${daemon.path("v3")},queues=1`;
      const { error } = await rpc.call("CreatePort", pmd("v3", vdev, 2));
      expect(error).toEqual({ code: 22, errmsg: "rte_eth_dev_configure() failed" });
      await rpc.ok("CreatePort", pmd("v3", vdev));
      const conf = { mtu: 1400, admin_up: true };
      expect((await rpc.call("SetPortConf", { name: "v3", conf })).error).toEqual({
        code: 95,
        errmsg: "rte_eth_dev_set_mtu() failed",
      });
    });

    it("ports number 32 at most", async () => {
      for (let n = 0; n < 32; n++) await rpc.ok("CreatePort", pmd(`p${n}`, `net_null${n},no-rx=1`));
      const { error } = await rpc.call("CreatePort", pmd("p32", "net_null32,no-rx=1"));
      expect(error).toEqual({ code: 19, errmsg: "Cannot attach vdev net_null32,no-rx=1" });
    });
  });

  describe("the process", () => {
    it.each(["SIGTERM", "SIGINT", "KillBess"] as const)("%s: ends with 0 and leaves nothing behind", async (how) => {
      await using daemon = await Daemon.start();
      expect(existsSync(runtimeDir(daemon.prefix))).toBe(true);
      await daemon.rpc.ok("CreatePort", pmd("v0", `net_vhost0,iface=${daemon.path("v0")}`));
      await module(daemon.rpc, "in", "QueueIncArg", { port: "v0" });
      await daemon.rpc.ok("ResumeAll");
      if (how === "KillBess") await daemon.rpc.ok("KillBess");
      expect(await daemon.end(how === "KillBess" ? undefined : how)).toBe(0);
      expect(readdirSync(daemon.dir)).toEqual(["log"]);
      expect(existsSync(runtimeDir(daemon.prefix))).toBe(false);
      expect(daemon.log).toContain(`stopping: ${how}`);
      expect(daemon.log).toContain("without hugepages (asked for: off)");
    });

    it("is pinned with its workers alone", async () => {
      const allowed = (path: string) => /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync(path, "utf8"))?.[1];
      await using daemon = await Daemon.start();
      await daemon.rpc.ok("AddWorker", { wid: 0, core: 0 });
      const tasks = `/proc/${daemon.pid}/task`;
      const cores = readdirSync(tasks).map((tid) => ({
        name: readFileSync(`${tasks}/${tid}/comm`, "utf8").trim(),
        cores: allowed(`${tasks}/${tid}/status`),
      }));
      const everywhere = allowed("/proc/self/status");
      expect(cores.filter(({ name }) => name === "vportd-w0")).toEqual([{ name: "vportd-w0", cores: "0" }]);
      expect(cores.filter(({ name }) => name === "node")).not.toEqual([]);
      for (const { name, cores: list } of cores) if (name === "node") expect(list).toBe(everywhere);
    });

    it("after kill -9 the next one tells about the stale socket and takes over the pid file", async () => {
      await using daemon = await Daemon.start();
      await daemon.end("SIGKILL");
      const again = ["--listen", daemon.address, "--hugepages", "off", "--mem", "64", "--pid-file", daemon.path("pid")];
      const { code, errors } = await runToEnd(...again);
      expect(code).toBe(3);
      expect(errors).toContain(`Remove it: rm ${daemon.path("b.sock")}`);
      expect(readdirSync(daemon.dir).sort()).toEqual(["b.sock", "log"]);
    });

    it("refuses an address in use with code 3, a held pid file with code 5", async () => {
      await using daemon = await Daemon.start();
      const small = ["--hugepages", "off", "--mem", "64", "--buffers", "2048"];
      const same = await runToEnd("--listen", daemon.address, ...small);
      expect([same.code, same.errors]).toEqual([3, expect.stringContaining("in use by another process")]);
      const held = await runToEnd("--listen", `${daemon.address}2`, "--pid-file", daemon.path("pid"), ...small);
      expect([held.code, held.errors]).toEqual([
        5,
        expect.stringContaining(`already running as process ${daemon.pid}`),
      ]);
      const taken = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => taken.once("listening", resolve));
      const address = taken.address();
      const tcp = typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
      const busy = await runToEnd("--listen", tcp, ...small);
      expect([busy.code, busy.errors]).toEqual([3, expect.stringContaining(`${tcp} is in use`)]);
      taken.close();
      expect((await daemon.rpc.ok("GetVersion")).version).toContain("vportd");
    });

    it.each([
      [["--listen", "0.0.0.0:10514"], "loopback"],
      [["--listen", "unix:relative"], "ABSOLUTE"],
      [[], "--listen"],
      [["--listen", "127.0.0.1:1", "--mem", "1e3"], "a whole number"],
      [["--listen", "127.0.0.1:1", "--hugepages", "maybe"], "auto, on, off"],
    ])("refuses the command line %j with code 2", async (args, text) => {
      const { code, errors } = await runToEnd(...args);
      expect([code, errors]).toEqual([2, expect.stringContaining(text)]);
    });

    it("says what to change when hugepages are asked for and there are none", async () => {
      const prefix = `vportd-test-none-${process.pid}`;
      const huge = ["--hugepages", "on", "--mem", "65536", "--file-prefix", prefix];
      const { code, errors } = await runToEnd("--listen", "unix:/nowhere", ...huge);
      expect([code, errors]).toEqual([4, expect.stringContaining("try --hugepages off")]);
      expect(existsSync(runtimeDir(prefix))).toBe(false);
    });

    it("says what to change when the buffers do not fit the memory", async () => {
      const dir = mkdtempSync(join(tmpdir(), "vportd-test-"));
      const listen = `unix:${join(dir, "b.sock")}`;
      const { code, errors } = await runToEnd(
        "--listen",
        listen,
        "--hugepages",
        "off",
        "--mem",
        "32",
        "--buffers",
        "100000",
      );
      expect([code, errors]).toEqual([4, expect.stringContaining("raise --mem or lower --buffers")]);
      rmSync(dir, { recursive: true });
    });
  });
});

function serve(path: string): Promise<void> {
  return new Promise((resolve) => {
    const server = createServer().listen(path, resolve);
    server.unref();
  });
}
