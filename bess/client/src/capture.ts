// SPDX-License-Identifier: BSD-3-Clause
// Captures at ports: PcapNg hooks on the gates of the modules that own a port's queues, all writing to one named pipe.
// vportd merges them; a bessd would write several streams into one another.
import { pack } from "@vnflab/bess-proto";
import type { BessClient } from "./client.js";

export interface CapturePoint {
  port: string;
  /** Also what the port sends, not only what it receives. */
  sent: boolean;
}

export interface CaptureRequest {
  /** Somebody must be reading it. */
  fifo: string;
  /** Of all its hooks; removeCapture() finds them by it. */
  name: string;
  points: readonly CapturePoint[];
}

/** `v0:1/PMDPort` or `v0/PMDPort`, which is how the modules of a port describe themselves. */
const OF_PORT = /^(.*?)(?::\d+)?\/\w+$/;
/** All gates that have a link. */
const EVERY = -1;

/** Rejects with the daemon's refusal; what was hooked before it is taken away again. */
export async function addCapture(client: BessClient, { fifo, name, points }: CaptureRequest): Promise<void> {
  const { modules } = await client.listModules();
  const arg = pack("PcapngArg", { fifo });
  try {
    for (const { name: module_name, mclass, desc } of modules) {
      const point = points.find(({ port }) => port === OF_PORT.exec(desc)?.[1]);
      if (point === undefined) continue;
      const hook = { class_name: "PcapNg", hook_name: name, module_name, arg };
      if (mclass.endsWith("Inc")) await client.configureGateHook({ hook: { ...hook, ogate: EVERY }, enable: true });
      else if (point.sent) await client.configureGateHook({ hook: { ...hook, igate: EVERY }, enable: true });
    }
  } catch (error) {
    await removeCapture(client, name).catch(() => undefined); // the first error is the one to report
    throw error;
  }
}

/** Takes the hooks of this name away; none is no error. */
export async function removeCapture(client: BessClient, name: string): Promise<void> {
  const { hooks } = await client.listGateHooks();
  for (const hook of hooks.filter(({ hook_name }) => hook_name === name)) {
    const { class_name, hook_name, module_name, gate, igate, ogate } = hook;
    const place = gate === "igate" ? { igate: igate ?? 0 } : { ogate: ogate ?? 0 };
    await client.configureGateHook({ hook: { class_name, hook_name, module_name, ...place }, enable: false });
  }
}
