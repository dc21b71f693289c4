/** A lab that lives only as long as this process: taken down when it is disposed, and when the process is killed. */
import { join, resolve } from "node:path";
import type { EngineContext } from "./context.js";
import { down } from "./down.js";
import { loadTopology } from "./load-topology.js";
import { findRecord } from "./record.js";
import { type UpOptions, type UpResult, up } from "./up.js";

export interface ForegroundLab extends UpResult, AsyncDisposable {}

export async function upInForeground(
  context: EngineContext,
  file: string,
  options: Omit<UpOptions, "foreground" | "dryRun">,
): Promise<ForegroundLab> {
  const { name } = await loadTopology(context, resolve(file), options.settings);
  // From before the first step on. A lab whose owner has ended is garbage; no other lab is looked at.
  const guardian = await context.guard([join(context.host.root, "lab/bin/vnflab.js"), "gc", name]);
  try {
    const result = await up(context, file, { ...options, foreground: true });
    return {
      ...result,
      async [Symbol.asyncDispose]() {
        await using _guardian = guardian;
        await down(context, name);
      },
    };
  } catch (error) {
    await guardian[Symbol.asyncDispose]();
    throw error;
  }
}

const LOOK_MS = 1000;

/** Tells of every part that dies or comes back, until the signal aborts or somebody else takes the lab down. */
export async function watchLab(context: EngineContext, lab: string, signal: AbortSignal): Promise<void> {
  const { host, layout } = context;
  const seen = new Map<string, string>();
  while (!signal.aborted) {
    const record = await findRecord(host.files, layout.lab(lab).stateDir).catch(() => undefined);
    if (!record) return;
    const parts = [
      ["the switch", await context.switchDriver(record.switch).observe(record.switch)] as const,
      ...(await Promise.all(
        record.machines.map(async (spec) => [spec.machine, await context.machineDriver(spec).observe(spec)] as const),
      )),
    ];
    for (const [name, { status, detail }] of parts) {
      const before = seen.get(name) ?? "running";
      if (status !== before) context.emit({ type: "note", text: `${name} is ${status}: ${detail}` });
      seen.set(name, status);
    }
    await host.clock.delay(LOOK_MS, signal).catch(() => {});
  }
}
