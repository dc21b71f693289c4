// SPDX-License-Identifier: BSD-3-Clause
// HashLB, on the side of the control plane: what it is made of and what it refuses.
import { type Message, pack } from "@vnflab/bess-proto";
import { describe, expect, it } from "vitest";
import { command, link, module } from "../build.js";
import type { Stage } from "./stage.js";

type Arg = Message<"HashLBArg">;

const BAD_GATES: readonly [title: string, gates: number[], errmsg: string][] = [
  ["no gates", [], "HashLB needs a gate or more"],
  ["129 gates", Array.from({ length: 129 }, (_, gate) => gate), "no more than 128 gates"],
  ["gate 8192", [0, 8192], "Invalid gate: 8192"],
  ["gate -1", [0, -1], "Invalid gate: -1"],
];
const BAD_MODES: readonly [title: string, mode: Arg, code: number, errmsg: string][] = [
  ["mode l5", { mode: "l5" }, 22, "Invalid mode 'l5': l2, l3, l4 are available"],
  [
    "fields",
    { mode: "l4", fields: [{ offset: 26, num_bytes: 4 }] },
    95,
    "HashLB of vportd knows no fields: use mode l2, l3, l4",
  ],
];

export function hashLb({ rpc }: Stage): void {
  describe("HashLB", () => {
    const create = (arg: Arg) => rpc.call("CreateModule", { name: "x", mclass: "HashLB", arg: pack("HashLBArg", arg) });
    const setGates = (gates: number[]) => command(rpc, "lb.set_gates", "HashLBCommandSetGatesArg", { gates });
    const setMode = (mode: Arg) => command(rpc, "lb.set_mode", "HashLBCommandSetModeArg", mode);

    it.each(BAD_GATES)("has not %s, at creation nor later", async (_title, gates, errmsg) => {
      expect((await create({ gates })).error).toEqual({ code: 22, errmsg });
      await module(rpc, "lb", "HashLBArg", { gates: [0] });
      expect(await setGates(gates)).toMatchObject({ error: { code: 22, errmsg } });
    });

    it.each(BAD_MODES)("has not %s, at creation nor later", async (_title, mode, code, errmsg) => {
      expect((await create({ gates: [0], ...mode })).error).toEqual({ code, errmsg });
      await module(rpc, "lb", "HashLBArg", { gates: [0] });
      expect(await setMode(mode)).toMatchObject({ error: { code, errmsg } });
    });

    it.each(["", "l2", "l3", "l4"])("has mode '%s', and a gate several times", async (mode) => {
      expect((await create({ gates: [5, 5, 8191], mode })).error?.code ?? 0).toBe(0);
      await module(rpc, "lb", "HashLBArg", { gates: Array.from({ length: 128 }, () => 1) });
      expect((await setMode({ mode })) as object).toMatchObject({ error: null });
    });

    it("is changed while no worker runs it, and only then; is named after its class", async () => {
      expect((await rpc.ok("CreateModule", { mclass: "HashLB", arg: pack("HashLBArg", { gates: [0] }) })).name).toBe(
        "hash_lb0",
      );
      await module(rpc, "src", "SourceArg", {});
      await module(rpc, "lb", "HashLBArg", { gates: [0] });
      await link(rpc, "src -> lb");
      await rpc.ok("ResumeAll");
      for (const [cmd, run] of [
        ["set_gates", () => setGates([1])],
        ["set_mode", () => setMode({ mode: "l3" })],
      ] as const) {
        const errmsg = `There is a running worker and command '${cmd}' is not MT safe`;
        expect(await run()).toMatchObject({ error: { code: 16, errmsg } });
      }
      await rpc.ok("PauseAll");
      expect(await setGates([1, 1, 0])).toMatchObject({ error: null });
      expect(await setMode({ mode: "l3" })).toMatchObject({ error: null });
    });
  });
}
