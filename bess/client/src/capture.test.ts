// SPDX-License-Identifier: BSD-3-Clause
import type { Request } from "@vnflab/bess-proto";
import { expect, it } from "vitest";
import { addCapture, type BessClient, removeCapture } from "./index.js";

type Configure = Request<"ConfigureGateHook">;

/** A daemon with one port of two queues, one of one, and modules between them. */
function daemon(refuseAt = Number.POSITIVE_INFINITY) {
  const modules = [
    { name: "in_a_0", mclass: "QueueInc", desc: "a:0/PMDPort" },
    { name: "in_a_1", mclass: "QueueInc", desc: "a:1/PMDPort" },
    { name: "in_b", mclass: "PortInc", desc: "b/PMDPort" },
    { name: "out_a_0", mclass: "QueueOut", desc: "a:0/PMDPort" },
    { name: "out_b", mclass: "PortOut", desc: "b/PMDPort" },
    { name: "fib", mclass: "L2Forward", desc: "" },
  ];
  const asked: string[] = [];
  const hooks: object[] = [];
  const client = {
    listModules: async () => ({ modules }),
    listGateHooks: async () => ({ hooks }),
    async configureGateHook({ hook, enable }: Configure) {
      const gate = hook?.igate === undefined ? `o${hook?.ogate}` : `i${hook?.igate}`;
      asked.push(`${enable ? "+" : "-"}${hook?.module_name} ${gate} ${hook?.hook_name}`);
      if (asked.length > refuseAt) throw new RangeError("refused");
      if (enable) hooks.push({ ...hook, gate: hook?.igate === undefined ? "ogate" : "igate" });
      return {};
    },
  } as unknown as BessClient;
  return { client, asked };
}

it("hooks what the port receives, and what it sends when asked", async () => {
  const { client, asked } = daemon();
  const points = [
    { port: "a", sent: true },
    { port: "b", sent: false },
  ];
  await addCapture(client, { fifo: "/f", name: "mine", points });
  expect(asked).toEqual(["+in_a_0 o-1 mine", "+in_a_1 o-1 mine", "+in_b o-1 mine", "+out_a_0 i-1 mine"]);
  await removeCapture(client, "mine");
  expect(asked.slice(4)).toEqual(["-in_a_0 o-1 mine", "-in_a_1 o-1 mine", "-in_b o-1 mine", "-out_a_0 i-1 mine"]);
  await removeCapture(client, "other");
  expect(asked).toHaveLength(8);
});

it("takes back what it has hooked when one gate is refused", async () => {
  const { client, asked } = daemon(1);
  const request = { fifo: "/f", name: "mine", points: [{ port: "a", sent: true }] };
  await expect(addCapture(client, request)).rejects.toThrow("refused");
  expect(asked.at(-1)).toBe("-in_a_0 o-1 mine");
});
