/** The libvirt thread: takes a request, makes the call, answers, one after the other. */
import { parentPort } from "node:worker_threads";
import { NativeFailure } from "./binding.js";
import { Calls } from "./calls.js";
import type { Answer, LibvirtFault, Request, Result } from "./protocol.js";

const calls = new Calls();

parentPort?.on("message", (request: Request | "close") => {
  if (request === "close") {
    calls.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(answer(request));
});

function answer(request: Request): Answer {
  const { id, call, params } = request;
  try {
    const handler = calls[call] as (given: typeof params) => Result<typeof call>;
    return { id, ok: true, result: handler(params) };
  } catch (thrown) {
    return { id, ok: false, fault: faultOf(call, thrown) };
  }
}

function faultOf(call: string, thrown: unknown): LibvirtFault {
  if (thrown instanceof NativeFailure) return thrown.fault;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { call, code: 0, domain: 0, level: 2, message };
}
