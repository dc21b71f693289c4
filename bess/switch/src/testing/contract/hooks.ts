// SPDX-License-Identifier: BSD-3-Clause
// Hooks at gates.
import { pack, type Request } from "@vnflab/bess-proto";
import { beforeEach, describe, expect, it } from "vitest";
import { link, module, port } from "../build.js";
import { until } from "../until.js";
import { NULL, type Row, refuses, type Stage } from "./stage.js";

const hook = (class_name: string, at: object = {}, enable = true): Request<"ConfigureGateHook"> => ({
  hook: { class_name, module_name: "fib", ogate: 0, ...at },
  enable,
});

/** On the same stage; hooks at fib:0 are track0 alone. */
const REFUSED: readonly Row[] = [
  ["a hook's class", "ConfigureGateHook", hook("Foo"), 2, "No such gate hook: Foo"],
  ["a hook's class to tell about", "GetGateHookClassInfo", { name: "Foo" }, 2, "No such gate hook: Foo"],
  ["a hook's module", "ConfigureGateHook", hook("Track", { module_name: "xx" }), 2, "No module 'xx' found"],
  ["no hook at all", "ConfigureGateHook", {}, 22, "Missing 'hook' field"],
  [
    "a hook at a gate without link",
    "ConfigureGateHook",
    hook("Track", { ogate: 3 }),
    22,
    "fib: ogate '3' does not exist",
  ],
  [
    "a hook at an input gate without link",
    "ConfigureGateHook",
    hook("Track", { module_name: "in0", ogate: undefined, igate: 0 }),
    22,
    "in0: igate '0' does not exist",
  ],
  [
    "a hook's name twice",
    "ConfigureGateHook",
    hook("Track", { hook_name: "track0" }),
    17,
    "fib: ogate '0' already has a hook named 'track0'",
  ],
  [
    "a pipe that is not there, or that nobody reads",
    "ConfigureGateHook",
    hook("TcpDump", { arg: pack("TcpdumpArg", { fifo: "/nowhere/at/all" }) }),
    expect.any(Number),
    "Failed to open FIFO",
  ],
  [
    "a capture without pipe",
    "ConfigureGateHook",
    hook("PcapNg", { arg: pack("PcapngArg", { fifo: "" }) }),
    22,
    "Invalid fifo: an absolute path is needed",
  ],
  [
    "a command to a hook that is not there",
    "GateHookCommand",
    { hook: { module_name: "fib", hook_name: "x", ogate: 0 }, cmd: "reset" },
    2,
    "fib: ogate '0' has no hook named 'x'",
  ],
  [
    "a command to a hook at no gate",
    "GateHookCommand",
    { hook: { module_name: "fib", hook_name: "track0", igate: 9 }, cmd: "reset" },
    22,
    "fib: igate '9' does not exist",
  ],
  [
    "a hook's command",
    "GateHookCommand",
    { hook: { module_name: "fib", hook_name: "track0", ogate: 0 }, cmd: "nope" },
    95,
    "'Track' does not support command 'nope'",
  ],
  ["a resume hook", "ConfigureResumeHook", { hook_name: "x", enable: true }, 2, "No such resume hook 'x'"],
];

export function gateHooks(stage: Stage): void {
  const { rpc } = stage;

  refuses(stage, "gate hooks", REFUSED);

  describe("gate hooks", () => {
    beforeEach(async () => {
      await port(rpc, "v0", NULL);
      await module(rpc, "in0", "QueueIncArg", { port: "v0" });
      await module(rpc, "fib", "MergeArg", {});
      await module(rpc, "o0", "QueueOutArg", { port: "v0" });
      await link(rpc, "in0 -> fib");
      await link(rpc, "fib -> o0");
    });

    const list = async () =>
      (await rpc.ok("ListGateHooks")).hooks.map(
        (each) => `${each.module_name} ${each.gate} ${each.igate ?? each.ogate} ${each.class_name} ${each.hook_name}`,
      );

    it("has the classes of bessd", async () => {
      expect((await rpc.ok("ListGateHookClass")).names).toEqual(["Track", "TcpDump", "PcapNg"]);
      expect(await rpc.ok("GetGateHookClassInfo", { name: "Track" })).toMatchObject({
        name: "Track",
        cmds: ["reset"],
        cmd_args: ["EmptyArg"],
      });
    });

    it("come and go under a running worker; each gate runs them in the order in which they came", async () => {
      await rpc.ok("ResumeAll");
      const { name } = await rpc.ok("ConfigureGateHook", hook("Track", { arg: pack("TrackArg", { bits: true }) }));
      expect(name).toBe("track1");
      const input = { module_name: "o0", ogate: undefined, igate: 0, hook_name: "mine" };
      expect((await rpc.ok("ConfigureGateHook", hook("Track", input))).name).toBe("mine");
      expect(await list()).toEqual([
        "in0 ogate 0 Track track0",
        "fib ogate 0 Track track0",
        "fib ogate 0 Track track1",
        "o0 igate 0 Track mine",
      ]);
      const [gate] = (await rpc.ok("GetModuleInfo", { name: "o0" })).igates;
      expect(gate?.gatehooks).toEqual([{ class_name: "Track", hook_name: "mine" }]);
      expect(gate?.timestamp).toBeGreaterThan(1e9);
      await rpc.ok("ConfigureGateHook", hook("Track", {}, false));
      await rpc.ok("ConfigureGateHook", hook("Track", input, false));
      expect(await list()).toEqual(["in0 ogate 0 Track track0", "fib ogate 0 Track track1"]);
      expect((await rpc.ok("ListWorkers")).workers_status).toMatchObject([{ running: true }]);
    });

    it("go without a word when there is none", async () => {
      await rpc.ok("ConfigureGateHook", hook("PcapNg", {}, false));
      await rpc.ok("ConfigureGateHook", hook("Track", { hook_name: "other" }, false));
      await rpc.ok("ConfigureResumeHook", { hook_name: "x" });
      expect(await list()).toHaveLength(2);
    });

    it("without module are at every module, with gate -1 at every gate of the direction", async () => {
      await rpc.ok("ConfigureGateHook", hook("Track", { module_name: "", ogate: -1 }, false));
      expect(await list()).toEqual([]);
      await rpc.ok("ConfigureGateHook", hook("Track", { module_name: "", ogate: undefined, igate: -1 }));
      expect(await list()).toEqual(["fib igate 0 Track track0", "o0 igate 0 Track track0"]);
    });

    it("go with their gate, and an input gate goes with its last link", async () => {
      await module(rpc, "in1", "SourceArg", {});
      await link(rpc, "in1 -> fib");
      await rpc.ok("ConfigureGateHook", hook("Track", { ogate: undefined, igate: 0 }));
      await rpc.ok("DestroyModule", { name: "in1" });
      expect(await list()).toContain("fib igate 0 Track track0");
      await rpc.ok("DisconnectModules", { name: "in0" });
      expect(await list()).toEqual(["fib ogate 0 Track track0"]);
      await rpc.ok("DestroyModule", { name: "fib" });
      expect(await list()).toEqual([]);
    });

    it("Track is reset by command, while the worker stands", async () => {
      const reset = { hook: { module_name: "fib", hook_name: "track0", ogate: 0 }, cmd: "reset" };
      await rpc.ok("GateHookCommand", reset);
      await rpc.ok("ResumeAll");
      const busy = { code: 16, errmsg: "There is a running worker and command 'reset' is not MT safe" };
      expect((await rpc.call("GateHookCommand", reset)).error).toEqual(busy);
    });

    it.each(["TcpDump", "PcapNg"] as const)("%s goes by itself when its reader goes", async (class_name) => {
      const pipe = await stage.openPipe();
      const arg = pack(class_name === "TcpDump" ? "TcpdumpArg" : "PcapngArg", { fifo: pipe.path });
      await rpc.ok("ResumeAll");
      const { name } = await rpc.ok("ConfigureGateHook", hook(class_name, { arg }));
      expect(await list()).toContain(`fib ogate 0 ${class_name} ${name}`);
      await pipe.close();
      await until(list, (hooks) => hooks.length === 2);
      expect((await rpc.ok("ListWorkers")).workers_status).toMatchObject([{ running: true }]);
    });
  });
}
