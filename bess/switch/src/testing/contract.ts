// SPDX-License-Identifier: BSD-3-Clause
// What every data plane's switch must answer, RPC by RPC: codes and texts are those of bessd. Run over the fake and
// over the real one; devices are net_null, which both know.
import { type MethodName, methodNames, pack, type Request, unpack } from "@vnflab/bess-proto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { offered } from "../rpc/service.js";
import { link, module, port } from "./build.js";
import type { Rpc } from "./rpc.js";
import { until } from "./until.js";

/** A named pipe that is being read. */
export interface Pipe {
  path: string;
  close(): Promise<void>;
}

export interface Running {
  rpc: Rpc;
  openPipe(): Promise<Pipe>;
  stop(): Promise<void>;
}

const MAC = "02:00:00:00:00:01";
const NULL = "net_null0,no-rx=1";

type Row = {
  [M in MethodName]: [title: string, rpc: M, request: Request<M>, code: number, errmsg: string];
}[MethodName];

const create = (name: string, mclass: string, arg?: ReturnType<typeof pack>) =>
  ({ name, mclass, arg: arg ?? null }) satisfies Request<"CreateModule">;
const pmd = (name: string, vdev: string) =>
  ({ name, driver: "PMDPort", arg: pack("PMDPortArg", { vdev }) }) satisfies Request<"CreatePort">;
const addMac = (addr: string, gate = 0) =>
  ({
    name: "fib",
    cmd: "add",
    arg: pack("L2ForwardCommandAddArg", { entries: [{ addr, gate }] }),
  }) satisfies Request<"ModuleCommand">;

/** Over the stage set by `beforeEach` of "refuses": port v0, in0 -> fib -> o0, paused worker 0. */
const REFUSED: Row[] = [
  ["module", "GetModuleInfo", { name: "xx" }, 2, "No module 'xx' found"],
  ["module to destroy", "DestroyModule", { name: "xx" }, 2, "No module 'xx' found"],
  ["module to command", "ModuleCommand", { name: "xx", cmd: "add" }, 2, "No module 'xx' found"],
  ["module to connect", "ConnectModules", { m1: "fib", m2: "xx" }, 2, "No module 'xx' found"],
  ["module to disconnect", "DisconnectModules", { name: "xx" }, 2, "No module 'xx' found"],
  ["class", "CreateModule", create("a", "Foo"), 2, "No mclass 'Foo' found"],
  ["class to tell about", "GetMclassInfo", { name: "Foo" }, 2, "No mclass 'Foo' found"],
  ["driver", "CreatePort", { name: "p", driver: "FooPort" }, 2, "No port driver 'FooPort' found"],
  ["driver to tell about", "GetDriverInfo", { driver_name: "FooPort" }, 2, "No port driver 'FooPort' found"],
  ["port", "GetPortStats", { name: "zz" }, 2, "No port 'zz' found"],
  ["port to destroy", "DestroyPort", { name: "zz" }, 2, "No port 'zz' found"],
  ["port conf", "GetPortConf", { name: "zz" }, 2, "No port 'zz' found"],
  ["port without name", "GetLinkStatus", {}, 22, "Port name is not given"],
  [
    "parent class",
    "UpdateTcParent",
    { class: { leaf_module_name: "in0", parent: "zz", wid: -1 } },
    2,
    "No TC 'zz' found",
  ],
  ["traffic class", "UpdateTcParent", { class: { name: "zz", wid: 0 } }, 2, "No TC 'zz' found"],
  ["command", "ModuleCommand", { name: "fib", cmd: "nope" }, 95, "'L2Forward' does not support command 'nope'"],
  [
    "inherited",
    "ModuleCommand",
    { name: "fib", cmd: "toString" },
    95,
    "'L2Forward' does not support command 'toString'",
  ],
  ["module twice", "CreateModule", create("fib", "Merge"), 17, "Module fib exists"],
  ["port twice", "CreatePort", pmd("v0", "net_null1"), 17, "Port 'v0' already exists"],
  ["worker twice", "AddWorker", { wid: 0, core: 0 }, 17, "worker:0 is already active"],
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
  ["a port in use", "DestroyPort", { name: "v0" }, 16, "Device or resource busy"],
  ["PMDPort without device", "CreatePort", { name: "p", driver: "PMDPort" }, 22, "No port specified"],
  ["an unknown device", "CreatePort", pmd("p", "net_foo0,x=1"), 19, "Cannot attach vdev net_foo0,x=1"],
  [
    "a device that writes files",
    "CreatePort",
    pmd("p", "net_pcap0,tx_pcap=/x"),
    19,
    "Cannot attach vdev net_pcap0,tx_pcap=/x",
  ],
  ["a device twice", "CreatePort", pmd("p", NULL), 16, "rte_eth_dev_configure() failed"],
  [
    "a large MTU",
    "SetPortConf",
    { name: "v0", conf: { mtu: 9000, admin_up: true } },
    22,
    "mtu should be >= 68 and <= 2048",
  ],
  ["a core that is not there", "AddWorker", { wid: 1, core: 99 }, 22, "Invalid core 99"],
  ["a negative core", "AddWorker", { wid: 1, core: -1 }, 22, "Invalid core -1"],
  ["a scheduler", "AddWorker", { wid: 1, core: 0, scheduler: "foo" }, 22, "Invalid scheduler foo"],
  ["a worker number", "AddWorker", { wid: 64, core: 0 }, 22, "Invalid worker id 64"],
  ["class without name", "AddTc", { class: { policy: "round_robin" } }, 22, "Missing 'name' field"],
  ["no class at all", "AddTc", {}, 22, "Missing 'name' field"],
  ["a policy", "AddTc", { class: { name: "t", policy: "foo" } }, 22, "Invalid traffic policy"],
  [
    "a leaf",
    "AddTc",
    { class: { name: "t", policy: "leaf" } },
    22,
    "Cannot create leaf TC. Use UpdateTcParentRequest message",
  ],
  ["a resource", "AddTc", { class: { name: "t", policy: "rate_limit", resource: "x" } }, 22, "Invalid resource"],
  [
    "parent and worker",
    "AddTc",
    { class: { name: "t", policy: "round_robin", parent: "x", wid: 0 } },
    22,
    "Both 'parent' and 'wid'have been specified",
  ],
  ["a class twice", "AddTc", { class: { name: "rr", policy: "round_robin" } }, 22, "Name 'rr' already exists"],
  ["a module without task", "UpdateTcParent", { class: { leaf_module_name: "o0" } }, 2, "Task o0:0 does not exist"],
  ["a name with a space", "CreateModule", create("a b", "Sink"), 22, expect.stringContaining("Invalid name")],
  [
    "a name of 129 characters",
    "CreateModule",
    create("x".repeat(129), "Sink"),
    22,
    expect.stringContaining("Invalid name"),
  ],
  ["129 queues", "CreatePort", { ...pmd("p", "net_null1"), num_inc_q: 129 }, 22, expect.stringContaining("129 queues")],
  [
    "a queue of 4097",
    "CreatePort",
    { ...pmd("p", "net_null1"), size_inc_q: 4097 },
    22,
    expect.stringContaining("4097"),
  ],
  [
    "a socket path of 108 bytes",
    "CreatePort",
    pmd("p", `net_vhost9,iface=/${"x".repeat(107)}`),
    22,
    "Invalid vdev: the socket path exceeds 107 bytes",
  ],
  ["a device with a line break", "CreatePort", pmd("p", "net_null1\n"), 22, expect.stringContaining("Invalid vdev")],
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

const hook = (class_name: string, at: object = {}, enable = true): Request<"ConfigureGateHook"> => ({
  hook: { class_name, module_name: "fib", ogate: 0, ...at },
  enable,
});

/** On the same stage; hooks at fib:0 are track0 alone. */
const HOOKS_REFUSED: Row[] = [
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

export function contractSuite(name: string, start: () => Promise<Running>): void {
  describe(`contract: ${name}`, () => {
    let running: Running;
    let rpc: Rpc;

    beforeAll(async () => {
      running = await start();
      rpc = running.rpc;
    }, 60_000);
    afterAll(() => running.stop());
    beforeEach(() => rpc.ok("ResetAll"));

    describe("refuses", () => {
      beforeEach(async () => {
        await port(rpc, "v0", NULL);
        await rpc.ok("AddWorker", { wid: 0, core: 0 });
        await rpc.ok("AddTc", { class: { name: "rr", policy: "round_robin", wid: 0 } });
        await module(rpc, "in0", "QueueIncArg", { port: "v0" });
        await module(rpc, "fib", "L2ForwardArg", {});
        await module(rpc, "o0", "QueueOutArg", { port: "v0" });
        await link(rpc, "in0 -> fib");
        await link(rpc, "fib -> o0");
        await rpc.ok("ModuleCommand", addMac(MAC));
      });

      it.each([...REFUSED, ...HOOKS_REFUSED])("%s: %s", async (_title, method, request, code, errmsg) => {
        const reply = await rpc.call(method, request as never);
        expect((reply as { error: unknown }).error).toEqual({ code, errmsg });
      });

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

      it("to end a worker that holds a task", async () => {
        await rpc.ok("ResumeAll");
        expect((await rpc.call("DestroyWorker", { wid: 0 })).error?.code).toBe(16);
      });
    });

    it("answers EOPNOTSUPP with a text to every RPC that it does not offer", async () => {
      const rest = methodNames.filter((method) => !offered.includes(method));
      expect(rest.sort()).toEqual(["GetTcStats", "ImportPlugin", "UnloadPlugin", "UpdateTcParams"]);
      for (const method of rest) {
        const { error } = (await rpc.call(method)) as { error: unknown };
        expect(error).toEqual({ code: 95, errmsg: `${method} is not supported by vportd` });
      }
    });

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
      expect((await rpc.ok("CreatePort", pmd("", NULL))).name).toBe("pmd_port0");
    });

    it("lists ports with their queues and their argument", async () => {
      const arg = pack("PMDPortArg", { vdev: NULL });
      await rpc.ok("CreatePort", { name: "v0", driver: "PMDPort", num_inc_q: 2, size_out_q: 512, arg });
      const { ports } = await rpc.ok("ListPorts");
      expect(ports).toMatchObject([
        { name: "v0", driver: "PMDPort", num_inc_q: 2, num_out_q: 1, size_inc_q: 1024, size_out_q: 512 },
      ]);
      expect(ports[0]?.mac_addr).toMatch(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
      expect(unpack("PMDPortArg", ports[0]?.driver_arg).vdev).toBe(NULL);
      expect((await rpc.ok("GetPortConf", { name: "v0" })).conf).toMatchObject({ mtu: 1500, admin_up: true });
      expect(await rpc.ok("GetPortStats", { name: "v0" })).toMatchObject({ inc: { packets: 0 }, out: { dropped: 0 } });
      await rpc.ok("DestroyPort", { name: "v0" });
      expect((await rpc.ok("ListPorts")).ports).toEqual([]);
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

    it("lists drivers, classes and their commands", async () => {
      expect((await rpc.ok("ListDrivers")).driver_names).toEqual(["PMDPort"]);
      const { names } = await rpc.ok("ListMclass");
      expect(names).toEqual([
        "Impair",
        "L2Forward",
        "L2Switch",
        "Merge",
        "PortInc",
        "PortOut",
        "QueueInc",
        "QueueOut",
        "Replicate",
        "Sink",
        "Source",
      ]);
      expect(await rpc.ok("GetMclassInfo", { name: "Source" })).toMatchObject({
        cmds: ["set_burst", "set_pkt_size", "get_initial_arg"],
        cmd_args: ["SourceCommandSetBurstArg", "SourceCommandSetPktSizeArg", "EmptyArg"],
      });
      expect(await rpc.ok("GetVersion")).toMatchObject({ version: expect.stringContaining("vportd") });
      expect((await rpc.ok("DumpMempool", { socket: -1 })).dumps).toMatchObject([{ initialized: true }]);
    });

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
        const pipe = await running.openPipe();
        const arg = pack(class_name === "TcpDump" ? "TcpdumpArg" : "PcapngArg", { fifo: pipe.path });
        await rpc.ok("ResumeAll");
        const { name } = await rpc.ok("ConfigureGateHook", hook(class_name, { arg }));
        expect(await list()).toContain(`fib ogate 0 ${class_name} ${name}`);
        await pipe.close();
        await until(list, (hooks) => hooks.length === 2);
        expect((await rpc.ok("ListWorkers")).workers_status).toMatchObject([{ running: true }]);
      });
    });

    describe("workers and tasks", () => {
      const workers = async () =>
        (await rpc.ok("ListWorkers")).workers_status.map(({ wid, running, num_tcs }) => ({ wid, running, num_tcs }));

      beforeEach(async () => {
        await port(rpc, "v0", NULL, 2);
        await module(rpc, "in0", "PortIncArg", { port: "v0" });
      });

      it("ResumeAll makes worker 0 when there is none and gives it the tasks", async () => {
        expect(await workers()).toEqual([]);
        await rpc.ok("ResumeAll");
        expect(await workers()).toEqual([{ wid: 0, running: true, num_tcs: 2 }]);
      });

      it("spreads tasks over the workers there are", async () => {
        await rpc.ok("AddWorker", { wid: 3, core: 0 });
        await rpc.ok("AddWorker", { wid: 5, core: 0 });
        expect(await workers()).toMatchObject([{ running: false }, { running: false }]);
        await rpc.ok("ResumeAll");
        expect(await workers()).toEqual([
          { wid: 3, running: true, num_tcs: 1 },
          { wid: 5, running: true, num_tcs: 1 },
        ]);
      });

      it("leaves a task that came later idle until the next full pause", async () => {
        await rpc.ok("ResumeAll");
        await module(rpc, "late", "SourceArg", {});
        await module(rpc, "s", "SinkArg", {});
        await link(rpc, "late -> s");
        await rpc.ok("ResumeAll");
        expect(await workers()).toMatchObject([{ num_tcs: 2 }]);
        await rpc.ok("PauseAll");
        await rpc.ok("ResumeAll");
        expect(await workers()).toMatchObject([{ num_tcs: 3 }]);
      });

      it("attaches a task where it is told, under running workers too", async () => {
        await rpc.ok("AddWorker", { wid: 1, core: 0 });
        await rpc.ok("AddTc", { class: { name: "rr", policy: "round_robin", wid: 1 } });
        await rpc.ok("ResumeAll");
        await rpc.ok("AddWorker", { wid: 2, core: 0 });
        const leaf = { leaf_module_name: "in0", leaf_module_taskid: 1 };
        await rpc.ok("UpdateTcParent", { class: { ...leaf, wid: 2 } });
        expect(await workers()).toEqual([
          { wid: 1, running: true, num_tcs: 1 },
          { wid: 2, running: false, num_tcs: 1 },
        ]);
        await rpc.ok("UpdateTcParent", { class: { ...leaf, wid: -1, parent: "rr" } });
        expect(await workers()).toMatchObject([{ num_tcs: 2 }, { num_tcs: 0 }]);
        const { classes_status } = await rpc.ok("ListTcs", { wid: -1 });
        expect(classes_status.map(({ class: tc, parent }) => `${parent} > ${tc?.name} ${tc?.policy}`)).toEqual([
          " > !default_rr_1 round_robin",
          "!default_rr_1 > rr round_robin",
          "!default_rr_1 > !leaf_in0:0 leaf",
          "rr > !leaf_in0:1 leaf",
        ]);
      });

      it("pauses and resumes one worker", async () => {
        await rpc.ok("ResumeAll");
        await rpc.ok("PauseWorker", { wid: 0 });
        expect(await workers()).toMatchObject([{ running: false }]);
        await rpc.ok("ResumeWorker", { wid: 0 });
        expect(await workers()).toMatchObject([{ running: true }]);
        expect((await rpc.call("PauseWorker", { wid: 9 })).error?.code).toBe(2);
      });

      it("rewires and removes modules under a running worker", async () => {
        await module(rpc, "s", "SinkArg", {});
        await rpc.ok("ResumeAll");
        await link(rpc, "in0 -> s");
        await rpc.ok("DisconnectModules", { name: "in0", ogate: 0 });
        await link(rpc, "in0 -> s");
        await rpc.ok("DestroyModule", { name: "in0" });
        expect(await workers()).toEqual([{ wid: 0, running: true, num_tcs: 0 }]);
      });

      it("survives each reset while workers run", async () => {
        for (const method of ["ResetTcs", "ResetModules", "ResetPorts", "ResetWorkers", "ResetAll"] as const) {
          await rpc.ok("ResumeAll");
          await rpc.ok(method);
        }
        expect(await workers()).toEqual([]);
        expect((await rpc.ok("ListModules")).modules).toEqual([]);
      });

      it("has no scheduling constraint to violate", async () => {
        expect(await rpc.ok("CheckSchedulingConstraints")).toMatchObject({ fatal: false, violations: [] });
      });
    });
  });
}
