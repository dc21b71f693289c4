/**
 * The workloads: which programs run at the server and at the client, with which options, and which of their figures is
 * which quantity. Everything that measures goes through here. A new workload is one entry.
 */
import type { ApplicationResult } from "../engine/application.js";
import type { QuantityName } from "../model/experiment/quantities.js";
import type { Workload } from "../model/experiment/workload.js";
import { figure } from "../suites/case.js";

export interface WorkloadPlan {
  readonly workload: Workload;
  /** Bytes: of a request and of its answer, of a datagram, of a write. */
  readonly payload: number;
  /** At once, of all threads. */
  readonly connections: number;
  /** Before what counts: connections are open and windows wide by then. */
  readonly warmupS: number;
  readonly durationS: number;
  /** Requests or datagrams a second, sent when due (open loop); absent: as many as will go. */
  readonly ratePerS?: number;
}

export interface Program {
  readonly application: string;
  readonly options: readonly string[];
}

export interface Results {
  readonly server: ApplicationResult;
  readonly client: ApplicationResult;
}

export type Values = Readonly<Partial<Record<QuantityName, number>>>;

interface Programs {
  /** What its trials come to above all: peaks are peaks of it, and without it a trial has failed. */
  readonly primary: QuantityName;
  /** It can be asked for a rate. */
  readonly openLoop: boolean;
  /** Name of the file that the server sends; it must be in its work folder. */
  readonly content?: string;
  server(plan: WorkloadPlan, workDir: string): Program;
  client(plan: WorkloadPlan, address: string): Program;
  /** NaN where a program has not said. */
  values(results: Results): Values;
}

const PORT = "9999";
/** tcp_source's -W. */
const LARGEST_WRITE = 65536;
/** File that a server sends, in its work folder. */
const CONTENT = "content";

const whole = (plan: WorkloadPlan) => String(plan.warmupS + plan.durationS);
const to = (address: string) => ["-a", address, "-p", PORT];

const requests = (primary: QuantityName, more: readonly string[]): Programs => ({
  primary,
  openLoop: more.length === 0,
  server: ({ payload }) => ({ application: "rpc_server", options: ["-l", PORT, "-s", String(payload)] }),
  client: ({ payload, connections, warmupS, durationS, ratePerS }, address) => ({
    application: "rpc_client",
    options: [
      ...[...to(address), "-c", String(connections), "-s", String(payload)],
      ...["-w", String(warmupS), "-d", String(durationS), ...more],
      ...(ratePerS === undefined ? [] : ["-r", String(Math.max(1, Math.round(ratePerS)))]),
    ],
  }),
  values: ({ client }) => ({
    [primary]: figure(client, "rps"),
    latency_p50: latencyUs(client, "p50"),
    latency_p99: latencyUs(client, "p99"),
    latency_p999: latencyUs(client, "p999"),
  }),
});

/** What arrives in the time that counts, whoever of the two has opened the connections. */
const sinkOptions = ({ warmupS, durationS }: WorkloadPlan) => [
  "-s",
  "0",
  "-w",
  String(warmupS),
  "-d",
  String(durationS),
];

/**
 * A sink counts from its own first connection on, which a busy host accepts late: the source sends for so much longer, or
 * the end of what counts would find nobody sending.
 */
const LATE_S = 2;

const sourceOptions = (plan: WorkloadPlan) => [
  ...["-s", "0", "-t", String(plan.warmupS + plan.durationS + LATE_S), "-c", String(plan.connections)],
  ...["-W", String(Math.min(plan.payload, LARGEST_WRITE))],
];

const streamValues = (sink: ApplicationResult): Values => ({
  goodput: figure(sink, "gbps"),
  goodput_gibit: figure(sink, "gibps"),
});

const WORKLOADS: Readonly<Record<Workload, Programs>> = {
  rpc: requests("requests_per_second", []),
  short: requests("connections_per_second", ["--short"]),
  udp: {
    primary: "datagrams_per_second",
    openLoop: true,
    server: ({ warmupS }) => ({
      application: "udp_sink",
      options: ["-l", PORT, "--fast", "-w", String(warmupS)],
    }),
    client: (plan, address) => ({
      application: "udp_source",
      options: [
        ...[...to(address), "--fast", "-s", String(plan.payload), "-t", whole(plan), "-c", String(plan.connections)],
        ...(plan.ratePerS === undefined ? [] : ["-r", String(Math.max(1, Math.round(plan.ratePerS)))]),
      ],
    }),
    values: ({ server }) => ({ datagrams_per_second: figure(server, "pps"), goodput: figure(server, "gbps") }),
  },
  bulk: {
    primary: "goodput",
    openLoop: false,
    server: (plan) => ({ application: "tcp_sink", options: ["-l", PORT, ...sinkOptions(plan)] }),
    client: (plan, address) => ({ application: "tcp_source", options: [...to(address), ...sourceOptions(plan)] }),
    values: ({ server }) => streamValues(server),
  },
  file: {
    primary: "goodput",
    openLoop: false,
    content: CONTENT,
    server: (plan, workDir) => ({
      application: "tcp_source",
      options: ["-l", PORT, ...sourceOptions(plan), "-F", `${workDir}/${CONTENT}`],
    }),
    client: (plan, address) => ({
      application: "tcp_sink",
      options: [...to(address), ...sinkOptions(plan), "-n", String(plan.connections)],
    }),
    values: ({ client }) => streamValues(client),
  },
};

export function programsOf(workload: Workload): Programs {
  return WORKLOADS[workload];
}

function latencyUs({ figures }: ApplicationResult, quantile: string): number {
  const latency = figures?.latency_ns as Readonly<Record<string, unknown>> | undefined;
  const value = latency?.[quantile];
  return typeof value === "number" ? value / 1000 : Number.NaN;
}
