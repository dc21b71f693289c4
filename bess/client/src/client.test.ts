// SPDX-License-Identifier: BSD-3-Clause
// Against a gRPC server in this process whose answers each test sets.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { bessControl, type MethodName, methodNames, unpack } from "@vnflab/bess-proto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BessClient, BessError, BessUnreachableError, type Pipeline } from "./index.js";

type Answer = (request: object, reply: sendUnaryData<object>) => void;

const dir = mkdtempSync(join(tmpdir(), "bess-client-"));
const address = `unix:${join(dir, "b.sock")}`;
const server = new Server();
const answers = new Map<MethodName, Answer>();
let calls: string[] = [];

beforeAll(async () => {
  const implementation = methodNames.map((name) => [
    name,
    ({ request }: ServerUnaryCall<object, object>, reply: sendUnaryData<object>) => {
      calls.push(name);
      const answer = answers.get(name);
      if (answer === undefined) reply(null, {});
      else answer(request, reply);
    },
  ]);
  server.addService(bessControl, Object.fromEntries(implementation));
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
});
beforeEach(() => {
  answers.clear();
  calls = [];
});
afterAll(() => {
  server.forceShutdown();
  rmSync(dir, { recursive: true });
});

const refuse =
  (code: number, errmsg: string): Answer =>
  (_request, reply) =>
    reply(null, { error: { code, errmsg } });

const connect = (deadlineMs = 2000, signal?: AbortSignal) =>
  BessClient.connect(address, signal === undefined ? { deadlineMs } : { deadlineMs, signal });

describe("calls", () => {
  it("has a method for each of the 48 RPCs", async () => {
    await using client = await connect();
    for (const name of methodNames) {
      const method = name.charAt(0).toLowerCase() + name.slice(1);
      expect(client).toHaveProperty(method);
    }
    expect(client.address).toBe(address);
  });

  it("sends the request and returns the reply with its defaults", async () => {
    answers.set("GetPortStats", (request, reply) => {
      expect(request).toEqual({ name: "v0" });
      reply(null, { inc: { packets: 7 }, timestamp: 1.5 });
    });
    await using client = await connect();
    const reply = await client.getPortStats({ name: "v0" });
    expect(reply).toMatchObject({ inc: { packets: 7, dropped: 0 }, out: null, timestamp: 1.5 });
  });

  it("takes an error that is present but empty for success", async () => {
    answers.set("CreatePort", (_request, reply) => reply(null, { error: {}, name: "pmd_port0" }));
    await using client = await connect();
    expect((await client.createPort({ driver: "PMDPort" })).name).toBe("pmd_port0");
  });

  it.each([2, 95, -1])("rejects with the daemon's code %d and words", async (code) => {
    answers.set("DestroyPort", refuse(code, "No port 'x' found"));
    await using client = await connect();
    const error = await client.destroyPort({ name: "x" }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BessError);
    expect(error).toMatchObject({ rpc: "DestroyPort", code, errmsg: "No port 'x' found", step: undefined });
    expect((error as Error).message).toBe(`DestroyPort: No port 'x' found (errno ${code})`);
  });
});

describe("a daemon that does not answer", () => {
  it("is told from one that refuses, with address and deadline", async () => {
    answers.set("PauseAll", () => undefined);
    await using client = await connect(100);
    const error = await client.pauseAll().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BessUnreachableError);
    expect((error as Error).message).toBe(
      `PauseAll: no answer from the switch at ${address}: nothing came within 100 ms`,
    );
  });

  it("is waited for no longer than the deadline", async () => {
    const nowhere = `unix:${join(dir, "absent.sock")}`;
    const error = await BessClient.connect(nowhere, { deadlineMs: 150 }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BessUnreachableError);
    expect((error as Error).message).toContain(`at ${nowhere}: it did not accept a connection within 150 ms`);
  });

  it("may not know an RPC", async () => {
    answers.set("GetTcStats", (_request, reply) => reply({ code: status.UNIMPLEMENTED, details: "no" }));
    await using client = await connect();
    await expect(client.getTcStats({ name: "x" })).rejects.toThrow("it does not know this RPC");
  });

  it("is given up when the signal says so, before and during a call", async () => {
    answers.set("PauseAll", () => undefined);
    const controller = new AbortController();
    await using client = await connect(5000, controller.signal);
    const call = client.pauseAll();
    controller.abort();
    await expect(call).rejects.toThrow("cancelled");
    await expect(client.getVersion()).rejects.toThrow("cancelled");
    await expect(connect(5000, controller.signal)).rejects.toThrow("cancelled");
  });
});

describe("apply", () => {
  const pipeline: Pipeline = {
    workers: [{ wid: 0, core: 1 }],
    ports: [{ name: "v0", driver: "PMDPort", queues: 2, arg: { type: "PMDPortArg", value: { vdev: "net_null0" } } }],
    modules: [
      { name: "in0", mclass: "QueueInc", arg: { type: "QueueIncArg", value: { port: "v0", qid: 1 } } },
      { name: "fib", mclass: "L2Forward", arg: { type: "L2ForwardArg", value: {} } },
    ],
    connections: [{ m1: "in0", ogate: 0, m2: "fib", igate: 0 }],
    commands: [
      { name: "fib", cmd: "set_default_gate", arg: { type: "L2ForwardCommandSetDefaultGateArg", value: { gate: 3 } } },
    ],
  };

  it("creates in order between pause and resume, arguments packed", async () => {
    answers.set("CreatePort", (request, reply) => {
      const { arg, ...rest } = request as { arg: { type_url: string; value: Buffer } };
      expect(rest).toMatchObject({ name: "v0", num_inc_q: 2, num_out_q: 2 });
      expect(unpack("PMDPortArg", arg).vdev).toBe("net_null0");
      reply(null, {});
    });
    await using client = await connect();
    await client.apply(pipeline);
    expect(calls).toEqual([
      "PauseAll",
      "AddWorker",
      "CreatePort",
      "CreateModule",
      "CreateModule",
      "ConnectModules",
      "ModuleCommand",
      "ResumeAll",
    ]);
  });

  it.each<[MethodName, string, string]>([
    ["AddWorker", "worker 0 on core 1", "CreatePort"],
    ["CreatePort", "port v0", "CreateModule"],
    ["CreateModule", "module in0", "ConnectModules"],
    ["ConnectModules", "link in0:0 -> 0:fib", "ModuleCommand"],
    ["ModuleCommand", "command fib.set_default_gate", ""],
  ])("a refused %s names the step, resumes and stops there", async (rpc, step, next) => {
    answers.set(rpc, refuse(22, "bad"));
    await using client = await connect();
    const error = await client.apply(pipeline).catch((e: unknown) => e);
    expect(error).toMatchObject({ rpc, code: 22, errmsg: "bad", step });
    expect((error as Error).message).toBe(`${step}: ${rpc}: bad (errno 22)`);
    expect(calls.at(-1)).toBe("ResumeAll");
    expect(calls).not.toContain(next);
  });
});
