// SPDX-License-Identifier: BSD-3-Clause
// What all groups of the contract stand on: a switch that each test finds empty, and how it is asked.
import { type MethodName, pack, type Request } from "@vnflab/bess-proto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { link, module, port } from "../build.js";
import type { Caller, Rpc } from "../rpc.js";

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

export const MAC = "02:00:00:00:00:01";
/** A device that both data planes know. */
export const NULL = "net_null0,no-rx=1";

/** A request that is refused, with what. */
export type Row = {
  [M in MethodName]: [title: string, rpc: M, request: Request<M>, code: number, errmsg: string];
}[MethodName];

/** A running switch; `rpc` may be used once the tests run. */
export interface Stage {
  readonly rpc: Caller;
  openPipe(): Promise<Pipe>;
}

/** Starts a switch for the tests of the `describe` in which it is called, and empties it before each. */
export function setStage(start: () => Promise<Running>): Stage {
  let running: Running;
  beforeAll(async () => {
    running = await start();
  }, 60_000);
  afterAll(() => running.stop());
  beforeEach(() => running.rpc.ok("ResetAll"));
  return {
    rpc: {
      call: (method, request) => running.rpc.call(method, request),
      ok: (method, request) => running.rpc.ok(method, request),
    },
    openPipe: () => running.openPipe(),
  };
}

/** Over port v0, in0 -> fib -> o0, and worker 0, which is paused. */
export function refuses({ rpc }: Stage, about: string, rows: readonly Row[], more?: () => void): void {
  describe(`refuses, about ${about}:`, () => {
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

    it.each(rows)("%s: %s", async (_title, method, request, code, errmsg) => {
      const reply = await rpc.call(method, request as never);
      expect((reply as { error: unknown }).error).toEqual({ code, errmsg });
    });
    more?.();
  });
}

export const pmd = (name: string, vdev: string) =>
  ({ name, driver: "PMDPort", arg: pack("PMDPortArg", { vdev }) }) satisfies Request<"CreatePort">;
export const addMac = (addr: string, gate = 0) =>
  ({
    name: "fib",
    cmd: "add",
    arg: pack("L2ForwardCommandAddArg", { entries: [{ addr, gate }] }),
  }) satisfies Request<"ModuleCommand">;
