// SPDX-License-Identifier: BSD-3-Clause
// Modules, their links, classes and commands.
import { pack, type Request, unpack } from "@vnflab/bess-proto";
import { describe, expect, it } from "vitest";
import { link, module, port } from "../build.js";
import { addMac, MAC, NULL, type Row, refuses, type Stage } from "./stage.js";

const create = (name: string, mclass: string, arg?: ReturnType<typeof pack>) =>
  ({ name, mclass, arg: arg ?? null }) satisfies Request<"CreateModule">;

const REFUSED: readonly Row[] = [
  ["module", "GetModuleInfo", { name: "xx" }, 2, "No module 'xx' found"],
  ["module to destroy", "DestroyModule", { name: "xx" }, 2, "No module 'xx' found"],
  ["module to command", "ModuleCommand", { name: "xx", cmd: "add" }, 2, "No module 'xx' found"],
  ["module to connect", "ConnectModules", { m1: "fib", m2: "xx" }, 2, "No module 'xx' found"],
  ["module to disconnect", "DisconnectModules", { name: "xx" }, 2, "No module 'xx' found"],
  ["class", "CreateModule", create("a", "Foo"), 2, "No mclass 'Foo' found"],
  ["class to tell about", "GetMclassInfo", { name: "Foo" }, 2, "No mclass 'Foo' found"],
  ["command", "ModuleCommand", { name: "fib", cmd: "nope" }, 95, "'L2Forward' does not support command 'nope'"],
  [
    "inherited",
    "ModuleCommand",
    { name: "fib", cmd: "toString" },
    95,
    "'L2Forward' does not support command 'toString'",
  ],
  ["module twice", "CreateModule", create("fib", "Merge"), 17, "Module fib exists"],
  ["MAC twice", "ModuleCommand", addMac(MAC), 17, `MAC address '${MAC}' already exist`],
  ["what is no MAC", "ModuleCommand", addMac("zz"), 22, "zz is not a proper mac address"],
  ["empty MAC", "ModuleCommand", addMac(""), 22, "add list item map must contain addr as a string"],
  ["gate below 0", "ModuleCommand", addMac("02:00:00:00:00:09", -1), 22, "Invalid gate: -1"],
  ["gate above 8192", "ModuleCommand", addMac("02:00:00:00:00:09", 8193), 22, "Invalid gate: 8193"],
  [
    "unknown MAC to delete",
    "ModuleCommand",
    { name: "fib", cmd: "delete", arg: pack("L2ForwardCommandDeleteArg", { addrs: ["02:00:00:00:00:09"] }) },
    2,
    "MAC address '02:00:00:00:00:09' does not exist",
  ],
  [
    "unknown MAC to look up",
    "ModuleCommand",
    { name: "fib", cmd: "lookup", arg: pack("L2ForwardCommandLookupArg", { addrs: ["02:00:00:00:00:09"] }) },
    2,
    "MAC address '02:00:00:00:00:09' does not exist",
  ],
  ["a taken gate", "ConnectModules", { m1: "fib", m2: "o0", ogate: 0 }, 16, "Connection fib:0->0:o0 failed"],
  [
    "an input gate too many",
    "ConnectModules",
    { m1: "fib", m2: "o0", ogate: 5, igate: 3 },
    22,
    "Connection fib:5->3:o0 failed",
  ],
  [
    "an output gate too many",
    "ConnectModules",
    { m1: "fib", m2: "o0", ogate: 8192 },
    22,
    "Connection fib:8192->0:o0 failed",
  ],
  [
    "a loop",
    "ConnectModules",
    { m1: "fib", m2: "fib", ogate: 1 },
    40,
    "Connection fib:1->0:fib failed: packets would go round",
  ],
  ["QueueInc without port", "CreateModule", create("q", "QueueInc"), 22, "Field 'port' must be specified"],
  [
    "QueueInc with another message",
    "CreateModule",
    create("q", "QueueInc", pack("QueueOutArg", { port: "v0" })),
    22,
    "Field 'port' must be specified",
  ],
  [
    "QueueInc of no port",
    "CreateModule",
    create("q", "QueueInc", pack("QueueIncArg", { port: "vX" })),
    19,
    "Port vX not found",
  ],
  [
    "QueueInc of a queue too many",
    "CreateModule",
    create("q", "QueueInc", pack("QueueIncArg", { port: "v0", qid: 2 })),
    22,
    "Invalid argument",
  ],
  [
    "QueueInc of a queue that 64 bits only just hold",
    "CreateModule",
    create("q", "QueueInc", pack("QueueIncArg", { port: "v0", qid: "18446744073709551615" })),
    22,
    "Invalid argument",
  ],
  [
    "QueueInc of a taken queue",
    "CreateModule",
    create("q", "QueueInc", pack("QueueIncArg", { port: "v0" })),
    16,
    "Device or resource busy",
  ],
  [
    "PortOut of a taken queue",
    "CreateModule",
    create("q", "PortOut", pack("PortOutArg", { port: "v0" })),
    16,
    "Device or resource busy",
  ],
  ["a name with a space", "CreateModule", create("a b", "Sink"), 22, expect.stringContaining("Invalid name")],
  [
    "a name of 129 characters",
    "CreateModule",
    create("x".repeat(129), "Sink"),
    22,
    expect.stringContaining("Invalid name"),
  ],
  [
    "an odd table size",
    "CreateModule",
    create("f", "L2Forward", pack("L2ForwardArg", { size: 1000 })),
    22,
    expect.stringContaining("Invalid size 1000"),
  ],
  [
    "a huge table",
    "CreateModule",
    create("f", "L2Forward", pack("L2ForwardArg", { size: 2 ** 40 })),
    22,
    expect.stringContaining("Invalid size"),
  ],
  [
    "33 gates of Replicate",
    "CreateModule",
    create("r", "Replicate", pack("ReplicateArg", { gates: Array.from({ length: 33 }, (_, i) => i) })),
    22,
    "no more than 32 gates",
  ],
  [
    "a burst of 65",
    "ModuleCommand",
    { name: "in0", cmd: "set_burst", arg: pack("QueueIncCommandSetBurstArg", { burst: 65 }) },
    22,
    "burst size must be [1,64]",
  ],
  [
    "packets of 9000 bytes",
    "CreateModule",
    create("s", "Source", pack("SourceArg", { pkt_size: 9000 })),
    22,
    expect.stringContaining("Invalid packet size 9000"),
  ],
];

export function modules(stage: Stage): void {
  const { rpc } = stage;

  refuses(stage, "modules", REFUSED, () => {
    it("a command that is not thread safe while a worker runs the module, and only then", async () => {
      await rpc.ok("ResumeAll");
      const busy = { code: 16, errmsg: "There is a running worker and command 'add' is not MT safe" };
      expect((await rpc.call("ModuleCommand", addMac("02:00:00:00:00:02"))).error).toEqual(busy);
      await rpc.ok("ModuleCommand", {
        name: "fib",
        cmd: "set_default_gate",
        arg: pack("L2ForwardCommandSetDefaultGateArg", { gate: 0 }),
      });
      await module(rpc, "aside", "ReplicateArg", { gates: [0] });
      const arg = pack("ReplicateCommandSetGatesArg", { gates: [0, 1] });
      await rpc.ok("ModuleCommand", { name: "aside", cmd: "set_gates", arg });
      await rpc.ok("PauseAll");
      await rpc.ok("ModuleCommand", addMac("02:00:00:00:00:02"));
    });

    it("the rest of a list after its first bad entry, and keeps what stood before it", async () => {
      const entries = [
        { addr: "02:00:00:00:00:05", gate: 1 },
        { addr: "zz", gate: 1 },
        { addr: "02:00:00:00:00:06", gate: 1 },
      ];
      const arg = pack("L2ForwardCommandAddArg", { entries });
      expect((await rpc.call("ModuleCommand", { name: "fib", cmd: "add", arg })).error?.code).toBe(22);
      const lookup = (addr: string) =>
        rpc.call("ModuleCommand", {
          name: "fib",
          cmd: "lookup",
          arg: pack("L2ForwardCommandLookupArg", { addrs: [addr] }),
        });
      const found = await lookup("2:0:0:0:0:5");
      expect(unpack("L2ForwardCommandLookupResponse", found.data).gates).toEqual([1]);
      expect((await lookup("02:00:00:00:00:06")).error?.code).toBe(2);
    });

    it("entries of a full table", async () => {
      await module(rpc, "small", "L2ForwardArg", { size: 1, bucket: 1 });
      const entries = [1, 2].map((n) => ({ addr: `02:00:00:00:00:0${n}`, gate: 0 }));
      const arg = pack("L2ForwardCommandAddArg", { entries });
      const reply = await rpc.call("ModuleCommand", { name: "small", cmd: "add", arg });
      expect(reply.error).toEqual({ code: 12, errmsg: "Not enough space" });
    });
  });

  describe("modules", () => {
    it("disconnects a gate that is not connected", async () => {
      await module(rpc, "m", "MergeArg", {});
      await rpc.ok("DisconnectModules", { name: "m", ogate: 0 });
    });

    it("chooses names by the class's template", async () => {
      const named = async (mclass: string) => (await rpc.ok("CreateModule", { mclass })).name;
      expect([await named("L2Forward"), await named("L2Forward"), await named("Replicate")]).toEqual([
        "l2_forward0",
        "l2_forward1",
        "repl0",
      ]);
    });

    it("tells about modules: class, description, gates, hooks, first argument", async () => {
      await port(rpc, "v0", NULL);
      await module(rpc, "in0", "QueueIncArg", { port: "v0" });
      await module(rpc, "m", "MergeArg", {});
      await module(rpc, "s", "SinkArg", {});
      await link(rpc, "in0 -> 7:m");
      await rpc.ok("ConnectModules", { m1: "m", m2: "s", skip_default_hooks: true });
      expect((await rpc.ok("ListModules")).modules).toEqual([
        { name: "in0", mclass: "QueueInc", desc: "v0:0/PMDPort" },
        { name: "m", mclass: "Merge", desc: "" },
        { name: "s", mclass: "Sink", desc: "" },
      ]);
      const info = await rpc.ok("GetModuleInfo", { name: "m" });
      expect(info).toMatchObject({
        name: "m",
        mclass: "Merge",
        igates: [{ igate: 7, ogates: [{ ogate: 0, name: "in0" }] }],
        ogates: [{ ogate: 0, name: "s", igate: 0, timestamp: 0, gatehooks: [] }],
        deadends: 0,
      });
      const [gate] = (await rpc.ok("GetModuleInfo", { name: "in0" })).ogates;
      expect(gate?.gatehooks).toEqual([{ class_name: "Track", hook_name: "track0" }]);
      expect(gate?.timestamp).toBeGreaterThan(1e9);
      const { data } = await rpc.ok("ModuleCommand", { name: "in0", cmd: "get_initial_arg" });
      expect(unpack("QueueIncArg", data).port).toBe("v0");
      await rpc.ok("DestroyModule", { name: "m" });
      expect((await rpc.ok("GetModuleInfo", { name: "in0" })).ogates).toEqual([]);
    });
  });
}
