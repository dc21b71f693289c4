/** Looks at the host before a run: what it is, and for two seconds how still it is. */
import { join } from "node:path";
import { z } from "zod";
import type { EngineContext } from "../../engine/context.js";
import { describeHost } from "../../engine/describe-host.js";
import type { Trial } from "../../model/experiment/trial.js";
import type { HostReadings } from "./fitness.js";
import { hostLoad, readCpuTime } from "./host-load.js";
import { readGovernor } from "./manifest.js";

const PROGRAM = "build/c/stack/bench/host_noise";
const SECONDS = 2;
/** It ends by itself long before. */
const PROGRAM_MS = 20_000;
const HERE = { kind: "local" } as const;
const PAGE_KIB = 2048;

const noiseResult = z.object({ lost_percent: z.number(), longest_us: z.number() });

export async function readHost(context: EngineContext, trials: readonly Trial[]): Promise<HostReadings> {
  const { host } = context;
  const { cores, hugepages = [] } = await context.facts(HERE);
  const withVms = trials.some(({ setup }) => setup.machines === "vm");
  const governor = await readGovernor(host);
  const { hypervisor } = await describeHost(host);
  const pages = hugepages.filter(({ sizeKib }) => sizeKib === PAGE_KIB).reduce((sum, { free }) => sum + free, 0);
  const before = await readCpuTime(context);
  const noise = await calibrate(context);
  const { stealPercent } = hostLoad(before, await readCpuTime(context));
  return {
    ...{ cores: cores.length, hypervisor, stealPercent, noise, hugepagesMib: (pages * PAGE_KIB) / 1024 },
    ...(withVms ? { accelerator: await context.accelerator("auto", HERE) } : {}),
    ...(governor === undefined ? {} : { governor }),
  };
}

async function calibrate({ host }: EngineContext): Promise<HostReadings["noise"]> {
  const program = join(host.root, PROGRAM);
  if ((await host.files.kind(program)) !== "file") return `not known: ${PROGRAM} is not built`;
  const argv = [program, "-t", String(SECONDS), "--json"] as const;
  const { stdout, stderr, exitCode } = await host.exec.run(argv, { timeoutMs: PROGRAM_MS });
  try {
    const { lost_percent: lostPercent, longest_us: longestUs } = noiseResult.parse(JSON.parse(stdout));
    return { lostPercent, longestUs };
  } catch {
    return `not known: ${PROGRAM} ended with exit code ${exitCode}: ${stderr.trim().slice(-200)}`;
  }
}
