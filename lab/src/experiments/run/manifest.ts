/** What a run was: enough to run it again, and to know what its figures depend on. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { EngineContext } from "../../engine/context.js";
import { describeHost } from "../../engine/describe-host.js";
import { readVersions } from "../../engine/versions.js";
import type { Experiment } from "../../model/experiment/experiment.js";
import type { Fitness, Manifest } from "../../model/experiment/run-folder.js";
import type { PlanOptions, Trial } from "../../model/experiment/trial.js";

export interface ManifestParts {
  /** As it is run: with all that the options change. */
  readonly experiment: Experiment;
  readonly trials: readonly Trial[];
  readonly options: PlanOptions;
  readonly fitness: Fitness;
}

const CPU = "/sys/devices/system/cpu";

export async function makeManifest(context: EngineContext, parts: ManifestParts): Promise<Manifest> {
  const { host } = context;
  const createdAt = host.clock.wallTime().toISOString();
  const stamp = createdAt.replace(/[-:]|\..*/g, "").replace("T", "-");
  return {
    schemaVersion: 1,
    run: `${parts.experiment.name}-${stamp}-${randomBytes(2).toString("hex")}`,
    createdAt,
    ...parts,
    revision: await readRevision(context),
    versions: { ...(await readVersions(host)) },
    host: { ...(await describeHost(host)), ...(await readProcessor(context)) },
    setups: [],
  };
}

/** Of the repository that vnflab runs from; a copy without its history has no commit. */
async function readRevision({ host }: EngineContext): Promise<Manifest["revision"]> {
  const git = async (...words: string[]) => {
    if ((await host.exec.which("git")) === undefined) return undefined;
    const { stdout, exitCode } = await host.exec.run(["git", "-C", host.root, ...words]);
    return exitCode === 0 ? stdout.trim() : undefined;
  };
  const commit = (await git("rev-parse", "HEAD")) ?? "unknown";
  return { commit, changed: ((await git("status", "--porcelain", "--untracked-files=no")) ?? "") !== "" };
}

async function readProcessor({ host: { files } }: EngineContext) {
  const read = async (file: string) => (await files.readText(file))?.trim();
  const microcode = /^microcode\s*:\s*(\S+)$/m.exec((await files.readText("/proc/cpuinfo")) ?? "")?.[1];
  const governor = await readGovernor({ files });
  const folder = join(CPU, "vulnerabilities");
  const names = await files.list(folder);
  const states = await Promise.all(names.map(async (name) => [name, (await read(join(folder, name))) ?? ""] as const));
  return {
    ...(microcode === undefined ? {} : { microcode }),
    ...(governor === undefined ? {} : { governor }),
    mitigations: Object.fromEntries(states),
  };
}

/** Undefined where the host cannot change its frequency, as a virtual one cannot. */
export async function readGovernor({ files }: Pick<EngineContext["host"], "files">): Promise<string | undefined> {
  return (await files.readText(join(CPU, "cpu0/cpufreq/scaling_governor")))?.trim();
}
