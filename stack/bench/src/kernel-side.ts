/**
 * The kernel's stack: the same programs on libmtcp_kernel, in two network namespaces that a veth pair joins. Names
 * carry our process id, so that leftovers of a run that was killed are known as such and removed by the next one.
 */
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, must } from "./process.js";
import type { Row } from "./rows.js";
import type { End, Side } from "./side.js";

export interface KernelOptions {
  dir: string;
  build: string;
  cpus: number;
}

const PREFIX = "vnbench-";
const ADDRESS = { server: "10.204.0.1", client: "10.204.0.2" } as const;
const ENDS: readonly End[] = ["server", "client"];
const CONGESTION = "cubic";
const ALLOWED = "net.ipv4.tcp_allowed_congestion_control";

/** Of each namespace. Neither side has TIME-WAIT: it would use up the ports of one client in a second. */
const SETTINGS: readonly string[] = [
  `net.ipv4.tcp_congestion_control=${CONGESTION}`,
  "net.ipv4.ip_local_port_range=1024 65535",
  "net.ipv4.tcp_max_tw_buckets=0",
  "net.core.somaxconn=65535",
  "net.ipv4.tcp_max_syn_backlog=65535",
];

/** Namespaces whose process is gone. */
export function leftovers(namespaces: readonly string[], alive: (pid: number) => boolean): string[] {
  return namespaces.filter((name) => {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    return pid !== undefined && !alive(Number(pid));
  });
}

function removeLeftovers(): void {
  const all = existsSync("/run/netns") ? readdirSync("/run/netns") : [];
  for (const name of leftovers(all, (pid) => existsSync(`/proc/${pid}`))) attempt(["ip", "netns", "delete", name]);
}

/** Arguments of `ethtool -K`. */
export function offloadSettings(on: boolean): string[] {
  return ["tx", "rx", "tso", "gso", "gro"].flatMap((name) => [name, on ? "on" : "off"]);
}

export class KernelSide implements Side {
  readonly name = "kernel";
  readonly address = ADDRESS.server;
  readonly #options: KernelOptions;
  readonly #allowedBefore: string;
  #offloads: boolean | undefined;

  constructor(options: KernelOptions) {
    this.#options = options;
    removeLeftovers();
    this.#allowedBefore = must(["sysctl", "-n", ALLOWED]).trim();
    if (!this.#allowedBefore.split(/\s+/).includes(CONGESTION))
      must(["sysctl", "-qw", `${ALLOWED}=${this.#allowedBefore} ${CONGESTION}`]); // or no namespace may choose it
    try {
      this.#join();
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  #netns(end: End): string {
    return `${PREFIX}${process.pid}-${end}`;
  }

  #device(end: End): string {
    return `vnb${end[0]}${process.pid}`;
  }

  #join(): void {
    for (const end of ENDS) must(["ip", "netns", "add", this.#netns(end)]);
    const [one, other] = ENDS.map((end) => [this.#device(end), "netns", this.#netns(end)]);
    must(["ip", "link", "add", ...(one ?? []), "mtu", "1500", "type", "veth", "peer", "name", ...(other ?? [])]);
    for (const end of ENDS) {
      const ip = ["ip", "-n", this.#netns(end)];
      must([...ip, "address", "add", `${ADDRESS[end]}/24`, "dev", this.#device(end)]);
      for (const device of ["lo", this.#device(end)]) must([...ip, "link", "set", device, "up"]);
      for (const setting of SETTINGS) must(["ip", "netns", "exec", this.#netns(end), "sysctl", "-qw", setting]);
      writeFileSync(this.#conf(end), this.#confText(end));
    }
  }

  #conf(end: End): string {
    return join(this.#options.dir, `kernel-${end}.conf`);
  }

  #confText(end: End): string {
    const mask = this.#options.cpus > 1 && end === "client" ? 2 : 1;
    const port = this.#device(end);
    return `io = tap\nport = ${port}\naddress = ${ADDRESS[end]}/24\ncore_mask = 0x${mask}\nmax_concurrency = 15000\n`;
  }

  prepare(row: Row): void {
    if (this.#offloads === row.offloads) return;
    for (const end of ENDS) {
      const ethtool = ["ip", "netns", "exec", this.#netns(end), "ethtool", "-K", this.#device(end)];
      must([...ethtool, ...offloadSettings(row.offloads)]);
    }
    this.#offloads = row.offloads;
  }

  command(end: End, argv: readonly string[]): string[] {
    const [program = "", ...rest] = argv;
    const path = join(this.#options.build, "stack/apps", `${program}-kernel`);
    return ["ip", "netns", "exec", this.#netns(end), path, ...rest, "-f", this.#conf(end), "--json"];
  }

  #remove(): void {
    for (const end of ENDS) attempt(["ip", "netns", "delete", this.#netns(end)]);
    attempt(["sysctl", "-qw", `${ALLOWED}=${this.#allowedBefore}`]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#remove();
  }
}
