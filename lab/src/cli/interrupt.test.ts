import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { watchInterrupts } from "./interrupt.js";

it.each(["SIGINT", "SIGTERM", "SIGHUP"])("%s interrupts once, and is answered again while things end", (name) => {
  const source = new EventEmitter();
  const said: string[] = [];
  const signal = watchInterrupts(source, (text) => said.push(text));
  expect(signal.aborted).toBe(false);
  source.emit(name);
  const first = signal.reason;
  expect(first).toMatchObject({ code: "VNF_INTERRUPTED", exitCode: 130, message: `interrupted by ${name}` });
  source.emit("SIGTERM");
  expect(signal.reason).toBe(first);
  expect(said).toEqual([`${name}: cleaning up\n`, "SIGTERM: still cleaning up\n"]);
});
