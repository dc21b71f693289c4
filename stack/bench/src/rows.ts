/** The rows: what each measures, and with which programs. One entry a row. */
import type { Result } from "./result.js";
import { field, type LatencyUs, latencyUs } from "./result.js";

export interface Timing {
  warmupS: number;
  durationS: number;
}

/** Programs and arguments, without configuration and address; `server` says its figures too. */
export interface Commands {
  server: readonly string[];
  client: readonly string[];
}

export type RowName =
  | "rpc64-1conn"
  | "rpc64-100conn"
  | "rpc64-10000conn"
  | "http-keepalive"
  | "short-conn"
  | "bulk-1flow-offload"
  | "bulk-1flow-mtu1500"
  | "bulk-100flow"
  | "udp64"
  | "udp1400"
  | "pingpong-idle";

export interface Row {
  name: RowName;
  /** Larger is better in every unit. */
  unit: string;
  what: string;
  /** Of checksums and segmentation, on both sides. */
  offloads: boolean;
  commands: (timing: Timing, at: Addresses) => Commands;
  /** The figure, out of the last lines of client and server. */
  value: (client: Result, server: Result) => number;
  /** Of a request, where there is one. */
  latency?: (client: Result) => LatencyUs;
  /** Also measured at half of each side's own peak, open loop. */
  halfLoad?: boolean;
}

export interface Addresses {
  server: string;
  www: string;
}

const NEVER_ENDING = "1000000000";

const rpcTiming = ({ warmupS, durationS }: Timing) => ["-w", String(warmupS), "-d", String(durationS)];

/** Arguments of rpc_client for a load at a given rate. */
export function openLoop(row: Row, timing: Timing, at: Addresses, requestsPerSecond: number): Commands {
  const { server, client } = row.commands(timing, at);
  return { server, client: [...client, "-r", String(Math.max(1, Math.round(requestsPerSecond)))] };
}

function rpc(name: RowName, what: string, extra: readonly string[], more: Partial<Row> = {}): Row {
  return {
    name,
    unit: "req/s",
    what,
    offloads: true,
    commands: (timing, at) => ({
      server: ["rpc_server"],
      client: ["rpc_client", "-a", at.server, ...extra, ...rpcTiming(timing)],
    }),
    value: (client) => field(client, "rps"),
    latency: (client) => latencyUs(client, "latency_ns"),
    ...more,
  };
}

function bulk(name: RowName, flows: number, offloads: boolean): Row {
  return {
    name,
    unit: "Gbit/s",
    what: `${flows} TCP flow${flows > 1 ? "s" : ""}, MTU 1500, ${offloads ? "with" : "without"} offloads`,
    offloads,
    commands: ({ warmupS, durationS }, at) => ({
      server: ["tcp_sink", "-s", "0", "-w", String(warmupS)],
      client: [
        "tcp_source",
        "-a",
        at.server,
        "-p",
        "9999",
        "-s",
        "0",
        "-c",
        String(flows),
        "-t",
        String(warmupS + durationS),
      ],
    }),
    value: (_client, server) => field(server, "gbps"),
  };
}

function udp(name: RowName, size: number): Row {
  return {
    name,
    unit: "datagrams/s",
    what: `datagrams of ${size} bytes that arrive, sent as fast as possible`,
    offloads: true,
    commands: ({ warmupS, durationS }, at) => ({
      server: ["udp_sink", "--fast", "-w", String(Math.ceil(warmupS))],
      client: [
        "udp_source",
        "-a",
        at.server,
        "-p",
        "9999",
        "--fast",
        "-s",
        String(size),
        "-t",
        String(Math.ceil(warmupS + durationS)),
      ],
    }),
    value: (_client, server) => field(server, "pps"),
  };
}

export const rows: readonly Row[] = [
  rpc("rpc64-1conn", "64-byte requests, 1 connection", ["-c", "1"]),
  rpc("rpc64-100conn", "64-byte requests, 100 connections", ["-c", "100"], { halfLoad: true }),
  rpc("rpc64-10000conn", "64-byte requests, 10,000 connections", ["-c", "10000"]),
  {
    name: "http-keepalive",
    unit: "req/s",
    what: "a file of 64 bytes over HTTP, 1,000 connections kept alive",
    offloads: true,
    commands: ({ warmupS, durationS }, at) => ({
      server: ["epserver", "-p", at.www, "-P", "80"],
      client: [
        ...["epwget", `${at.server}/file`, "1000", "-c", "1000", "-k", NEVER_ENDING],
        ...["-w", String(Math.ceil(warmupS)), "-t", String(Math.ceil(durationS))],
      ],
    }),
    value: (client) => field(client, "rps"),
    latency: (client) => latencyUs(client, "latency_us", 1),
  },
  rpc("short-conn", "connections with one 64-byte request and a normal close, 100 at once", ["--short", "-c", "100"], {
    unit: "conn/s",
  }),
  bulk("bulk-1flow-offload", 1, true),
  bulk("bulk-1flow-mtu1500", 1, false),
  bulk("bulk-100flow", 100, true),
  udp("udp64", 64),
  udp("udp1400", 1400),
  rpc(
    "pingpong-idle",
    "median round trip of 64 bytes after 1 ms of rest, as round trips a second",
    ["-c", "1", "-i", "1"],
    {
      unit: "round trips/s",
      value: (client) => 1e6 / latencyUs(client, "latency_ns").p50,
    },
  ),
];

/** The rows of these names, in the order of the list; all when none is named. */
export function chooseRows(names: readonly string[]): Row[] {
  const known = new Map(rows.map((row) => [row.name as string, row]));
  for (const name of names)
    if (!known.has(name)) throw new Error(`there is no row ${name}; rows: ${[...known.keys()].join(" ")}`);
  return rows.filter((row) => names.length === 0 || names.includes(row.name));
}
