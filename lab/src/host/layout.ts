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
  lab(name: string): LabPaths;
}

export async function resolveLayout(host: Host): Promise<Layout> {
  const stateRoot = stateRootOf(host.env);
  const runRoot = await runRootOf(host);
  // Labs of one name in two state folders are two labs; their run folders must differ too.
  const mark = createHash("sha256").update(stateRoot).digest("hex").slice(0, 4);
  return {
    stateRoot,
    runRoot,
    cacheDir: host.env.VNFLAB_CACHE ?? join(stateRoot, "cache"),
    lab: (name) => ({ stateDir: join(stateRoot, "labs", name), runDir: join(runRoot, `${name}-${mark}`) }),
  };
}

function stateRootOf(env: Host["env"]): string {
  if (env.VNFLAB_STATE) return env.VNFLAB_STATE;
  if (env.XDG_STATE_HOME) return join(env.XDG_STATE_HOME, "vnflab");
  if (env.HOME) return join(env.HOME, ".local", "state", "vnflab");
  throw new VnflabError("VNF_USAGE", "no folder for the lab's state: HOME is not set", {
    hint: "Set VNFLAB_STATE to a folder.",
  });
}

async function runRootOf(host: Host): Promise<string> {
  if (host.env.VNFLAB_RUN) return host.env.VNFLAB_RUN;
  const userRun = `/run/user/${host.uid}`;
  return (await host.files.kind(userRun)) === "directory" ? `${userRun}/vnflab` : `/tmp/vnflab-${host.uid}`;
}
