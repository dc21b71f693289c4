/**
 * What can be measured. The one list: the schema of experiments, their pages in docs/experiments and the axes of figures
 * come from it.
 */
import type { Workload } from "./experiment.js";

export interface Quantity {
  readonly title: string;
  readonly unit: string;
  /** What it is, one sentence. */
  readonly definition: string;
  /** Where it is measured: program and machine. */
  readonly place: string;
  /** With the names of what is counted there. */
  readonly formula: string;
  /** Which is better, if any. */
  readonly better: "higher" | "lower" | "neither";
  readonly workloads: readonly Workload[];
  /** Read in trials of their own. */
  readonly telemetry: boolean;
}

const REQUESTS: readonly Workload[] = ["rpc", "short"];
const STREAMS: readonly Workload[] = ["bulk", "file"];

const latency = (title: string, part: string): Quantity => ({
  title,
  unit: "us",
  definition: `Time that ${part} of the requests were answered within, from the moment at which each was due.`,
  place: "rpc_client on the client",
  formula: `${title} of (answer read whole - request due); closed loop: due is when it is written; an HDR histogram of all threads`,
  better: "lower",
  workloads: REQUESTS,
  telemetry: false,
});

export const QUANTITIES = {
  requests_per_second: {
    title: "requests",
    unit: "req/s",
    definition: "Requests that were answered whole in the time that counts.",
    place: "rpc_client on the client",
    formula: "answers read whole after the warm-up / duration",
    better: "higher",
    workloads: ["rpc"],
    telemetry: false,
  },
  connections_per_second: {
    title: "connections",
    unit: "conn/s",
    definition: "Connections that were opened, asked one request, got its answer and were closed.",
    place: "rpc_client on the client",
    formula: "connections closed by the client after an answer, after the warm-up / duration",
    better: "higher",
    workloads: ["short"],
    telemetry: false,
  },
  goodput: {
    title: "goodput",
    unit: "Gbit/s",
    definition: "Payload that reached the receiving application, without headers and without what was sent twice.",
    place: "tcp_sink on the server; udp_sink on the server",
    formula: "bytes read by the application after the warm-up x 8 / (seconds x 10^9)",
    better: "higher",
    workloads: [...STREAMS, "udp"],
    telemetry: false,
  },
  goodput_gibit: {
    title: "goodput by the theses' formula",
    unit: "Gibit/s",
    definition: "The same bytes in the unit that the theses' programs print.",
    place: "tcp_sink on the server",
    formula: "bytes read by the application after the warm-up x 8 / (seconds x 1024^3)",
    better: "higher",
    workloads: STREAMS,
    telemetry: false,
  },
  datagrams_per_second: {
    title: "datagrams received",
    unit: "datagrams/s",
    definition: "Datagrams that reached the receiving application.",
    place: "udp_sink on the server",
    formula: "datagrams read by the application after the warm-up / seconds",
    better: "higher",
    workloads: ["udp"],
    telemetry: false,
  },
  latency_p50: latency("p50", "half"),
  latency_p99: latency("p99", "99 %"),
  latency_p999: latency("p99.9", "99.9 %"),
} as const satisfies Readonly<Record<string, Quantity>>;

export type QuantityName = keyof typeof QUANTITIES;
