// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listen } from "./listen.js";
import { service } from "./rpc/service.js";
import { Switch } from "./switch.js";
import { link, module, port } from "./testing/build.js";
import type { Running } from "./testing/contract/stage.js";
import { contractSuite } from "./testing/contract.js";
import { FakeDataPlane } from "./testing/fake-dataplane.js";
import { Rpc } from "./testing/rpc.js";

interface FakeRunning extends Running {
  plane: FakeDataPlane;
  errors: string[];
  killed(): boolean;
}

async function startFake(): Promise<FakeRunning> {
  const dir = mkdtempSync(join(tmpdir(), "bess-fake-"));
  const address = `unix:${join(dir, "b.sock")}`;
  const plane = new FakeDataPlane();
  const errors: string[] = [];
  let killed = false;
  const onKill = () => {
    killed = true;
  };
  const log = { fd: 2, info: () => undefined, warn: () => undefined, error: (text: string) => void errors.push(text) };
  const sw = new Switch(plane, { version: "vportd-test", defaultCore: 0, onKill });
  const server = await listen(address, service(sw, log));
  const rpc = new Rpc(address);
  const reaper = setInterval(() => sw.removeDeadHooks(), 10);
  let pipes = 0;
  const openPipe = async () => {
    const path = `/fake/pipe${pipes++}`;
    plane.readers.add(path);
    return { path, close: async () => void plane.readers.delete(path) };
  };
  const stop = async () => {
    clearInterval(reaper);
    rpc[Symbol.dispose]();
    server.forceShutdown();
    rmSync(dir, { recursive: true });
  };
  return { rpc, stop, openPipe, plane, errors, killed: () => killed };
}

contractSuite("fake data plane", startFake);

describe("control plane over the fake", () => {
  it("marks as shared just what several workers run", async () => {
    const { rpc, stop, plane } = await startFake();
    await port(rpc, "v0", "net_null0", 2);
    await module(rpc, "in0", "PortIncArg", { port: "v0" });
    await module(rpc, "out", "PortOutArg", { port: "v0" });
    await module(rpc, "other", "SourceArg", {});
    await module(rpc, "s", "SinkArg", {});
    await link(rpc, "in0 -> out");
    await link(rpc, "other -> s");
    await rpc.ok("ResumeAll");
    expect(plane.sharedClasses()).toEqual([]);
    await rpc.ok("AddWorker", { wid: 1, core: 0 });
    await rpc.ok("UpdateTcParent", { class: { leaf_module_name: "in0", leaf_module_taskid: 1, wid: 1 } });
    expect(plane.sharedClasses()).toEqual(["PortInc", "PortOut"]);
    await stop();
  });

  it("answers KillBess before it ends", async () => {
    const { rpc, stop, killed } = await startFake();
    await rpc.ok("KillBess");
    expect(killed()).toBe(true);
    await stop();
  });

  it("survives bytes that are no message", async () => {
    const { rpc, stop } = await startFake();
    await expect(rpc.raw("CreatePort", Buffer.from("0aff", "hex"))).rejects.toThrow();
    await rpc.ok("GetVersion");
    await stop();
  });

  it("turns an own mistake into EIO, with the details in the log alone", async () => {
    const { rpc, stop, plane, errors } = await startFake();
    plane.poolInfo = () => {
      throw new TypeError("secret");
    };
    const { error } = await rpc.call("DumpMempool", { socket: -1 });
    expect(error).toEqual({ code: 5, errmsg: "Internal error in DumpMempool; vportd's log has the details" });
    expect(errors[0]).toContain("secret");
    await stop();
  });
});
