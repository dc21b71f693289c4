/** Our stack: two processes, vhost at the server and virtio_user at the client, one core each. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "./rows.js";
import type { End, Side } from "./side.js";

export interface OurOptions {
  /** Where sockets and configurations go. */
  dir: string;
  /** meson's folder. */
  build: string;
  hugepages: boolean;
  /** Of the host; with one alone both sides have to share it. */
  cpus: number;
  /** Keys that replace or follow those of each end, e.g. `distribution = 1kb`. */
  keys?: readonly string[];
}

const ADDRESS = { server: "10.203.0.1", client: "10.203.0.2" } as const;
/** Descriptors: 10,000 connections, and those that are closing. */
const MAX_CONCURRENCY = 50_000;

/** The file of one end. Pure, so that it can be tested. */
export function stackConf(end: End, { dir, hugepages, cpus, keys = [] }: OurOptions, offloads: boolean): string {
  const socket = join(dir, "vhost.sock");
  const device = {
    server: `net_vhost0,iface=${socket},queues=1`,
    client: `net_virtio_user0,path=${socket},queue_size=1024`,
  };
  return [
    "io = dpdk",
    `port = vdev:${device[end]}`,
    `address = ${ADDRESS[end]}/24`,
    `core_mask = 0x${(cpus > 1 && end === "client" ? 2 : 1).toString(16)}`,
    `idle = ${cpus > 1 ? "poll" : "yield"}`,
    `hugepages = ${hugepages ? "on" : "off"}`,
    `max_concurrency = ${MAX_CONCURRENCY}`,
    ...(offloads ? [] : ["offload = off"]),
    ...keys,
    "",
  ].join("\n");
}

export class OurSide implements Side {
  readonly name = "ours";
  readonly address = ADDRESS.server;
  readonly #options: OurOptions;

  constructor(options: OurOptions) {
    this.#options = options;
  }

  prepare(row: Row): void {
    rmSync(join(this.#options.dir, "vhost.sock"), { force: true });
    for (const end of ["server", "client"] as const)
      writeFileSync(this.#conf(end), stackConf(end, this.#options, row.offloads));
  }

  command(end: End, argv: readonly string[]): string[] {
    const [program = "", ...rest] = argv;
    return [join(this.#options.build, "stack/apps", program), ...rest, "-f", this.#conf(end), "--json"];
  }

  #conf(end: End): string {
    return join(this.#options.dir, `${end}.conf`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(join(this.#options.dir, "vhost.sock"), { force: true });
  }
}
