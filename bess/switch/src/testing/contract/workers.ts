// SPDX-License-Identifier: BSD-3-Clause
// Workers, traffic classes and tasks.
import { beforeEach, describe, expect, it } from "vitest";
import { link, module, port } from "../build.js";
import { NULL, type Row, refuses, type Stage } from "./stage.js";

const REFUSED: readonly Row[] = [
  [
    "parent class",
    "UpdateTcParent",
    { class: { leaf_module_name: "in0", parent: "zz", wid: -1 } },
    2,
    "No TC 'zz' found",
  ],
  ["traffic class", "UpdateTcParent", { class: { name: "zz", wid: 0 } }, 2, "No TC 'zz' found"],
  ["worker twice", "AddWorker", { wid: 0, core: 0 }, 17, "worker:0 is already active"],
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
];

export function workersAndTasks(stage: Stage): void {
  const { rpc } = stage;

  refuses(stage, "workers and tasks", REFUSED, () => {
    it("to end a worker that holds a task", async () => {
      await rpc.ok("ResumeAll");
      expect((await rpc.call("DestroyWorker", { wid: 0 })).error?.code).toBe(16);
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
}
