/**
 * What can be measured. The one list: the schema of experiments, their pages in docs/experiments and the axes of figures
 * come from it.
 */
import { WORKLOADS, type Workload } from "./workload.js";

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

const COUNTED = "mtcpstat on the server, read twice in the time that counts";
/** Of those who distribute: the distributor or the receiver; of a design that keeps no core for it, all workers. */
const THEIRS = "summed over the distributing threads (distributor or receiver; all workers where there is none)";

const cyclesPerFrame = (what: string, part: string, theirs: string): Quantity => ({
  title: `cycles to ${what}`,
  unit: "cycles/frame",
  definition: `Cycles that the server's distributing threads spend ${part}, for each frame that they take from the NIC.`,
  place: COUNTED,
  formula: theirs,
  better: "lower",
  workloads: WORKLOADS,
  telemetry: true,
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
    place: "udp_sink and bulk's tcp_sink on the server, file's tcp_sink on the client",
    formula: "bytes read by the application after the warm-up x 8 / (seconds x 10^9)",
    better: "higher",
    workloads: [...STREAMS, "udp"],
    telemetry: false,
  },
  goodput_gibit: {
    title: "goodput by the theses' formula",
    unit: "Gibit/s",
    definition: "The same bytes in the unit that the theses' programs print.",
    place: "tcp_sink, of bulk on the server, of file on the client",
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
  distributed_frames_per_second: {
    title: "frames distributed",
    unit: "frames/s",
    definition: "Frames that the server's distributing threads take from the NIC, for all workers.",
    place: COUNTED,
    formula: `gain of worker.rx_polled / seconds, ${THEIRS}`,
    better: "higher",
    workloads: WORKLOADS,
    telemetry: true,
  },
  distributor_busy: {
    title: "load of the distributing core",
    unit: "%",
    definition:
      "Part of their cycles in which the server's distributing threads found something to do; 100: saturated.",
    place: COUNTED,
    formula: `100 x (1 - gain of worker.cycles_idle / gain of all worker.cycles_*), ${THEIRS}`,
    better: "neither",
    workloads: WORKLOADS,
    telemetry: true,
  },
  distributor_cycles_receive: cyclesPerFrame(
    "receive",
    "with the NIC's receive queues",
    `gain of worker.cycles_receive / gain of worker.rx_polled, each ${THEIRS}`,
  ),
  distributor_cycles_steer: cyclesPerFrame(
    "steer",
    "on sorting frames by flow and on the workers' rings",
    `gain of worker.cycles_steer / gain of worker.rx_polled, each ${THEIRS}`,
  ),
  distributor_cycles_transmit: cyclesPerFrame(
    "transmit",
    "with the NIC's transmit queue (2kb: another core does that, and here is 0)",
    `gain of worker.cycles_transmit / gain of worker.rx_polled, each ${THEIRS}`,
  ),
  ring_drops_per_second: {
    title: "frames dropped before a ring",
    unit: "frames/s",
    definition: "Frames that the server dropped because the ring of the worker they were for was full.",
    place: COUNTED,
    formula: "gain of steer.drop_ring_full / seconds, summed over all threads",
    better: "lower",
    workloads: WORKLOADS,
    telemetry: true,
  },
} as const satisfies Readonly<Record<string, Quantity>>;

export type QuantityName = keyof typeof QUANTITIES;
