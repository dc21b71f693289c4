// SPDX-License-Identifier: BSD-3-Clause
// What every data plane's switch must answer about the modules that bessd does not have.
import { type Message, type MessageName, pack, unpack } from "@vnflab/bess-proto";
import { beforeEach, describe, expect, it } from "vitest";
import { command, module } from "../build.js";
import { MAC, type Stage } from "./stage.js";

interface Reply {
  error?: { code: number; errmsg: string } | null;
  data?: { type_url: string; value: Buffer } | null;
}

export function ownModules({ rpc }: Stage): void {
  describe("own modules", () => {
    const run = async <N extends MessageName>(target: string, arg: N, value: Message<N>) =>
      (await command(rpc, target, arg, value)) as Reply;

    describe("L2Switch", () => {
      const table = async () =>
        unpack("L2SwitchCommandGetTableResponse", (await run("sw.get_table", "L2SwitchCommandGetTableArg", {})).data);
      const add = (addr: string, port: number) => run("sw.add", "L2SwitchCommandAddArg", { entries: [{ addr, port }] });

      beforeEach(() => module(rpc, "sw", "L2SwitchArg", { ports: 4, lanes: 2 }));

      it("keeps static entries until they are deleted, also while a worker runs it", async () => {
        await module(rpc, "src", "SourceArg", {});
        await rpc.ok("ConnectModules", { m1: "src", m2: "sw", igate: 3 });
        await rpc.ok("ResumeAll");
        expect((await add(MAC, 3)).error).toBeNull();
        expect((await table()).entries).toEqual([{ addr: MAC, port: 3, static: true, age_ms: 0 }]);
        await run("sw.delete", "L2SwitchCommandDeleteArg", { addrs: [MAC] });
        expect((await table()).entries).toEqual([]);
      });

      it("lists a table of several pages", async () => {
        const addrs = Array.from({ length: 700 }, (_, n) => `02:00:00:00:0${n >> 8}:${(n & 255).toString(16)}`);
        const entries = addrs.map((addr) => ({ addr, port: 1 }));
        expect((await run("sw.add", "L2SwitchCommandAddArg", { entries })).error).toBeNull();
        const listed = (await table()).entries.map(({ addr }) => addr);
        expect(new Set(listed).size).toBe(700);
      });

      it("counts nothing while nothing comes, sets the age and flushes", async () => {
        await add(MAC, 0);
        const { data } = await run("sw.get_counters", "L2SwitchCommandGetCountersArg", {});
        expect(unpack("L2SwitchCommandGetCountersResponse", data)).toMatchObject({ received: 0, moved: 0, entries: 1 });
        expect((await run("sw.set_age", "L2SwitchCommandSetAgeArg", { age_ms: 1000 })).error).toBeNull();
        const flushed = await run("sw.flush", "L2SwitchCommandFlushArg", { port: 2 });
        expect(unpack("L2SwitchCommandFlushResponse", flushed.data).flushed).toBe(0);
      });

      it("refuses what makes no sense", async () => {
        await add(MAC, 1);
        expect((await add(MAC, 1)).error).toEqual({ code: 17, errmsg: `MAC address '${MAC}' already exist` });
        expect((await add("zz", 1)).error).toEqual({ code: 22, errmsg: "zz is not a proper mac address" });
        expect((await add("02:00:00:00:00:02", 4)).error).toEqual({ code: 22, errmsg: "Invalid port: 4" });
        expect((await add("01:00:5e:00:00:01", 1)).error?.errmsg).toContain("group address");
        const absent = await run("sw.delete", "L2SwitchCommandDeleteArg", { addrs: ["02:00:00:00:00:02"] });
        expect(absent.error).toEqual({ code: 2, errmsg: "MAC address '02:00:00:00:00:02' does not exist" });
      });

      it.each([
        [{}, "Invalid 0 ports with 1 lanes"],
        [{ ports: 65, lanes: 128 }, "Invalid 65 ports with 128 lanes"],
        [{ ports: 1, lanes: 129 }, "Invalid 1 ports with 129 lanes"],
        [{ ports: 32, port_limit: 2 ** 31 }, "Invalid port_limit"],
      ])("is not made of %o", async (arg, text) => {
        const reply = await rpc.call("CreateModule", { name: "x", mclass: "L2Switch", arg: pack("L2SwitchArg", arg) });
        expect(reply.error).toEqual({ code: 22, errmsg: expect.stringContaining(text) });
      });
    });

    describe("Impair", () => {
      const get = async () => unpack("ImpairCommandGetResponse", (await run("im.get", "ImpairCommandGetArg", {})).data);
      const LOSSY = { delay_ns: 10e6, jitter_ns: 1e6, loss: 0.01, reorder: 0.25, gap: 5, rate_bps: 100e6, seed: 7 };

      it("answers its configuration, set at creation or later, also while a worker runs it", async () => {
        await module(rpc, "im", "ImpairArg", LOSSY);
        expect(await get()).toMatchObject({ impair: LOSSY, packets: 0, lost: 0, held: 0 });
        await rpc.ok("ResumeAll");
        const impair = { loss: 1 / 3, duplicate: 1, corrupt: 0.5, distribution: 1 as const, keep_order: true, gap: 1 };
        expect((await run("im.set", "ImpairCommandSetArg", { impair })).error).toBeNull();
        const now = (await get()).impair;
        expect(now).toMatchObject({ ...impair, loss: expect.closeTo(1 / 3, 8), delay_ns: 0, rate_bps: 0, seed: 0 });
        expect((await run("im.set", "ImpairCommandSetArg", {})).error).toBeNull();
        expect((await get()).impair).toMatchObject({ loss: 0, duplicate: 0, keep_order: false });
      });

      it("has a task, for what it holds", async () => {
        await module(rpc, "im", "ImpairArg", {});
        await rpc.ok("ResumeAll");
        expect((await rpc.ok("ListWorkers")).workers_status).toMatchObject([{ num_tcs: 1 }]);
      });

      it.each([
        [{ loss: 1.1 }, "Invalid loss 1.1: 0 to 1 is allowed"],
        [{ duplicate: -0.1 }, "Invalid duplicate -0.1"],
        [{ reorder: Number.NaN }, "Invalid reorder NaN"],
        [{ delay_ns: 60e9 + 1 }, "Invalid delay_ns"],
        [{ jitter_ns: "18446744073709551615" }, "Invalid jitter_ns"],
        [{ rate_bps: 1e13 }, "Invalid rate_bps"],
        [{ limit_packets: 2 ** 21 }, "Invalid limit_packets"],
        [{ seed: "9007199254740993" }, "Invalid seed"],
      ])("is not made of %o, nor set to it", async (arg, text) => {
        const refused = { code: 22, errmsg: expect.stringContaining(text) };
        const made = await rpc.call("CreateModule", { name: "x", mclass: "Impair", arg: pack("ImpairArg", arg) });
        expect(made.error).toEqual(refused);
        await module(rpc, "im", "ImpairArg", LOSSY);
        expect((await run("im.set", "ImpairCommandSetArg", { impair: arg })).error).toEqual(refused);
        expect((await get()).impair).toMatchObject(LOSSY);
      });
    });
  });
}
