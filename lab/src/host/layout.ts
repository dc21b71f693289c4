/** Where the lab keeps its things. Everything of a lab is below its state folder or its run folder. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { VnflabError } from "../model/error.js";
import type { Host } from "./host.js";

export interface LabPaths {
  /** `<state>/labs/<name>`: record, journal, logs. */
  readonly stateDir: string;
  /** Short folder for sockets; removed with the lab. */
  readonly runDir: string;
}

export interface Layout {
  /** Holds everything that outlives a command. */
  readonly stateRoot: string;
  /** Holds one run folder a lab. */
  readonly runRoot: string;
  /** Cache of things that take long to find out, such as the accelerator's verdict. */
  readonly cacheDir: string;
  /** Where the folders come from: a variable of the environment, or what is usual. */
  readonly sources: { readonly state: string; readonly run: string; readonly cache: string };
  lab(name: string): LabPaths;
}

interface Sourced {
  readonly path: string;
  readonly from: string;
}

export async function resolveLayout(host: Host): Promise<Layout> {
  const { path: stateRoot, from: state } = stateRootOf(host.env);
  const { path: runRoot, from: run } = await runRootOf(host);
  // Labs of one name in two state folders are two labs; their run folders must differ too.
  const mark = createHash("sha256").update(stateRoot).digest("hex").slice(0, 4);
  return {
    stateRoot,
    runRoot,
    cacheDir: host.env.VNFLAB_CACHE ?? join(stateRoot, "cache"),
    sources: { state, run, cache: host.env.VNFLAB_CACHE ? "VNFLAB_CACHE" : "below the state folder" },
    lab: (name) => ({ stateDir: join(stateRoot, "labs", name), runDir: join(runRoot, `${name}-${mark}`) }),
  };
}

function stateRootOf(env: Host["env"]): Sourced {
  if (env.VNFLAB_STATE) return { path: env.VNFLAB_STATE, from: "VNFLAB_STATE" };
  if (env.XDG_STATE_HOME) return { path: join(env.XDG_STATE_HOME, "vnflab"), from: "XDG_STATE_HOME" };
  if (env.HOME) return { path: join(env.HOME, ".local", "state", "vnflab"), from: "HOME" };
  throw new VnflabError("VNF_USAGE", "no folder for the lab's state: HOME is not set", {
    hint: "Set VNFLAB_STATE to a folder.",
  });
}

async function runRootOf(host: Host): Promise<Sourced> {
  if (host.env.VNFLAB_RUN) return { path: host.env.VNFLAB_RUN, from: "VNFLAB_RUN" };
  const userRun = `/run/user/${host.uid}`;
  if ((await host.files.kind(userRun)) === "directory") return { path: `${userRun}/vnflab`, from: userRun };
  return { path: `/tmp/vnflab-${host.uid}`, from: `there is no ${userRun}` };
}
