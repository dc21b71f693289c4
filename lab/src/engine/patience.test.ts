import { beforeEach, describe, expect, it } from "vitest";
import type { GuestProcess } from "../drivers/machine-driver.js";
import { type FakeEngine, fakeEngine, LAB_FILE } from "./fake-engine.js";
import { Lab } from "./lab.js";
import { up } from "./up.js";

const DEADLINE_MS = 5000;

let engine: FakeEngine;
let lab: Lab;

beforeEach(async () => {
  engine = await fakeEngine();
  await up(engine.context, LAB_FILE, { signal: new AbortController().signal });
  lab = (await Lab.open(engine.context, "pair")).patient(DEADLINE_MS);
});

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

async function all(content: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return chunks;
}

describe("an engine that is patient only so long", () => {
  it("hands on what is answered, and what fails", async () => {
    engine.host.exec.install("hostname", ({ print }) => {
      print("stdout", "left\n");
      return 3;
    });
    const left = lab.machine("left");
    expect(await left.run(["hostname"])).toMatchObject({ exitCode: 3, stdout: "left\n" });
    await left.putFile("/a", Buffer.from("b"));
    expect(Buffer.concat(await all(left.readFile("/a"))).toString()).toBe("b");
    await expect(left.getFile("/absent")).rejects.toMatchObject({ code: "VNF_GUEST_COMMAND" });
    expect(await lab.switchState()).toMatchObject({ status: "running" });
  });

  it("names what was not answered: a command, its end, a file, a control, the switch", async () => {
    const { machines, sw } = engine;
    const left = lab.machine("left");
    const told = (work: Promise<unknown>, what: string) =>
      expect(work).rejects.toMatchObject({
        code: "VNF_NO_ANSWER",
        message: expect.stringContaining(`no answer after 5 s: ${what}`),
      });
    engine.host.exec.install("sleep", () => never());
    await told(left.run(["sleep", "60"]), "end of left: sleep 60");
    machines.exec = () => never();
    await told(left.run(["sleep", "60"]), "start of left: sleep 60");
    await told(left.start("tcp_sink", []), `start of left: ${left.spec.binDir}/tcp_sink -f `);
    machines.putFile = () => never();
    await told(left.configureStack(), `putFile of left: ${left.stackConf}`);
    machines.readFile = async function* () {
      yield Buffer.from("a");
      await never();
    };
    await told(all(left.readFile("/a")), "readFile of left: /a");
    machines.control.pause = () => never();
    await told(left.pause(), "pause of left");
    sw.observe = () => never();
    await told(lab.switchState(), "observe of the switch");
  });

  it("lets an application last, whose callers have a deadline, but not the signal that ends it", async () => {
    const process: GuestProcess = { signal: () => never(), wait: () => never() };
    engine.machines.exec = async () => process;
    await using sink = await lab.machine("left").start("tcp_sink", []);
    await engine.host.clock.delay(2 * DEADLINE_MS);
    expect(sink.isRunning).toBe(true);
    await expect(sink.kill()).rejects.toMatchObject({ message: /^no answer after 5 s: SIGKILL to left: .*tcp_sink/ });
  });
});
