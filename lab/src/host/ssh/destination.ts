/** How another host is reached: what OpenSSH's own configuration says of it, so that whatever works there works here. */
import { VnflabError } from "../../model/error.js";
import type { Host } from "../host.js";

export interface Destination {
  /** As the lab file has it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  readonly knownHostsFiles: readonly string[];
  readonly agent?: string;
}

/** `user@host:port`, user and port only where they are said. Asks `ssh -G`; VNFLAB_SSH_CONFIG names its file. */
export async function resolveDestination(near: Host, name: string): Promise<Destination> {
  const [, user, host = name, port] = /^(?:([^@]+)@)?(.+?)(?::(\d+))?$/.exec(name) ?? [];
  const config = near.env.VNFLAB_SSH_CONFIG;
  const options = [
    ...(config ? ["-F", config] : []),
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", port]),
  ];
  const { stdout, stderr, exitCode } = await near.exec.run(["ssh", "-G", ...options, "--", host]);
  if (exitCode !== 0) throw new VnflabError("VNF_SSH", `ssh does not know ${name}: ${stderr.trim()}`);
  return parseConfig(name, stdout, near.env);
}

/** Pure, from the lines of `ssh -G`. */
export function parseConfig(name: string, text: string, env: Host["env"]): Destination {
  const lines = text.split("\n").map((line) => /^(\S+) (.*)$/.exec(line));
  const all = (key: string) => lines.flatMap((line) => (line?.[1] === key ? [line[2] ?? ""] : []));
  const one = (key: string) => all(key)[0] ?? "";
  const home = (path: string) => path.replace(/^~(?=\/)/, env.HOME ?? "~");
  const agent = one("identityagent") || "SSH_AUTH_SOCK";
  const socket = agent === "SSH_AUTH_SOCK" ? env.SSH_AUTH_SOCK : agent === "none" ? undefined : home(agent);
  return {
    name,
    ...{ host: one("hostname"), port: Number(one("port")), user: one("user") },
    identityFiles: all("identityfile").map(home),
    knownHostsFiles: [...one("userknownhostsfile").split(" "), ...one("globalknownhostsfile").split(" ")].map(home),
    ...(socket ? { agent: socket } : {}),
  };
}

/** How known_hosts writes it. */
export function knownHostsName({ host, port }: Destination): string {
  return port === 22 ? host : `[${host}]:${port}`;
}
