/** What applies to every lab of this user, and where it comes from: folders and environment. */
import { join } from "node:path";
import { environmentSettings } from "../model/setting.js";
import type { EngineContext } from "./context.js";

export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  /** A variable of the environment, or why it is so. */
  readonly from: string;
  readonly meaning: string;
}

export async function describeConfig({ host, layout }: Pick<EngineContext, "host" | "layout">): Promise<ConfigEntry[]> {
  const { stateRoot, runRoot, cacheDir, sources } = layout;
  const folder = (name: string, value: string, from: string, meaning: string) => ({ name, value, from, meaning });
  return [
    folder("program", host.root, "where vnflab is installed", "the repository: examples, templates, images"),
    folder("state", stateRoot, sources.state, "records, journals, logs and results of labs"),
    folder("run", runRoot, sources.run, "sockets of labs that run; short, as the kernel allows 107 bytes"),
    folder("cache", cacheDir, sources.cache, "what takes long to find out, such as whether KVM works"),
    folder("examples", join(host.root, "lab/examples"), "where vnflab is installed", "what `vnflab init` copies"),
    ...variable(host.env, "VNFLAB_LIBVIRT_URI", "libvirtd of all labs, in place of a private one a lab"),
    ...variable(host.env, "VNFLAB_DEBUG", "stack traces with errors"),
    ...environmentSettings(host.env).map(({ path, text, origin }) => ({
      name: path.join("."),
      value: text,
      from: origin.split("=")[0] ?? "",
      meaning: "a key of every lab file, as --set gives it",
    })),
  ];
}

function variable(env: Readonly<Record<string, string | undefined>>, name: string, meaning: string): ConfigEntry[] {
  const value = env[name];
  return value ? [{ name, value, from: "the environment", meaning }] : [];
}
