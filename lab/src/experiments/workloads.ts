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
  server(plan: WorkloadPlan): Program;
  client(plan: WorkloadPlan, address: string): Program;
  /** NaN where a program has not said. */
  values(results: Results): Values;
}

const PORT = "9999";
/** Gbit/s in Gibit/s. */
const GIBIT = 1e9 / 2 ** 30;

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

const stream = (source: (plan: WorkloadPlan) => readonly string[]): Programs => ({
  primary: "goodput",
  openLoop: false,
  server: ({ warmupS }) => ({
    application: "tcp_sink",
    options: ["-l", PORT, "-s", "0", "-w", String(warmupS)],
  }),
  client: (plan, address) => ({
    application: "tcp_source",
    options: [...[...to(address), "-s", "0", "-t", whole(plan)], ...["-c", String(plan.connections), ...source(plan)]],
  }),
  values: ({ server }) => ({ goodput: figure(server, "gbps"), goodput_gibit: figure(server, "gbps") * GIBIT }),
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
        ...[...to(address), "--fast", "-s", String(plan.payload), "-t", whole(plan)],
        ...(plan.ratePerS === undefined ? [] : ["-r", String(Math.max(1, Math.round(plan.ratePerS)))]),
      ],
    }),
    values: ({ server }) => ({ datagrams_per_second: figure(server, "pps"), goodput: figure(server, "gbps") }),
  },
  bulk: stream(() => []),
  file: stream(() => []),
};

export function programsOf(workload: Workload): Programs {
  return WORKLOADS[workload];
}

function latencyUs({ figures }: ApplicationResult, quantile: string): number {
  const latency = figures?.latency_ns as Readonly<Record<string, unknown>> | undefined;
  const value = latency?.[quantile];
  return typeof value === "number" ? value / 1000 : Number.NaN;
}
