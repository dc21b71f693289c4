// SPDX-License-Identifier: BSD-3-Clause
// What every data plane's switch must answer, RPC by RPC: codes and texts are those of bessd. Run over the fake and
// over the real one; devices are net_null, which both know.
import { methodNames } from "@vnflab/bess-proto";
import { describe, expect, it } from "vitest";
import { offered } from "../rpc/service.js";
import { hashLb } from "./contract/hash-lb.js";
import { gateHooks } from "./contract/hooks.js";
import { modules } from "./contract/modules.js";
import { ownModules } from "./contract/own-modules.js";
import { ports } from "./contract/ports.js";
import { type Running, setStage } from "./contract/stage.js";
import { workersAndTasks } from "./contract/workers.js";

export function contractSuite(name: string, start: () => Promise<Running>): void {
  describe(`contract: ${name}`, () => {
    const stage = setStage(start);
    const { rpc } = stage;

    it("answers EOPNOTSUPP with a text to every RPC that it does not offer", async () => {
      const rest = methodNames.filter((method) => !offered.includes(method));
      expect(rest.sort()).toEqual(["GetTcStats", "ImportPlugin", "UnloadPlugin", "UpdateTcParams"]);
      for (const method of rest) {
        const { error } = (await rpc.call(method)) as { error: unknown };
        expect(error).toEqual({ code: 95, errmsg: `${method} is not supported by vportd` });
      }
    });

    it("lists drivers, classes and their commands", async () => {
      expect((await rpc.ok("ListDrivers")).driver_names).toEqual(["PMDPort"]);
      const { names } = await rpc.ok("ListMclass");
      expect(names).toEqual([
        "HashLB",
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

    modules(stage);
    hashLb(stage);
    ownModules(stage);
    ports(stage);
    gateHooks(stage);
    workersAndTasks(stage);
  });
}
