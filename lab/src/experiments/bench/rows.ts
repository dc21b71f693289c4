/** What a bench measures: workloads with the names that `make bench` has for them. A new row is one entry. */
import { VnflabError } from "../../model/error.js";
import type { QuantityName } from "../../model/experiment/quantities.js";
import { didYouMean } from "../../model/suggest.js";
import { programsOf, type WorkloadPlan } from "../workloads.js";

export interface Load {
  /** That count, after the warm-up. */
  readonly seconds: number;
  /** Of the rows with many connections. */
  readonly connections: number;
}

export interface Row {
  /** The same as in the table of `make bench`. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly workload: WorkloadPlan["workload"];
  readonly payload: number;
  /** It has one connection, whatever the load says. */
  readonly single?: boolean;
}

const WARM_UP_S = 1;

const udp = (size: number): Row => ({
  name: `udp${size}`,
  title: `datagrams of ${size} bytes that arrive, sent as fast as possible`,
  unit: "datagrams/s",
  ...{ workload: "udp", payload: size, single: true },
});

const ROWS: readonly Row[] = [
  {
    ...{ name: "rpc64", title: "64-byte requests and answers over connections that stay", unit: "req/s" },
    ...{ workload: "rpc", payload: 64 },
  },
  {
    ...{ name: "short-conn", title: "connections with one request and a normal close", unit: "conn/s" },
    ...{ workload: "short", payload: 64 },
  },
  udp(64),
  udp(1400),
  {
    ...{ name: "bulk", title: "one TCP flow, a stream that is not looked at", unit: "Gbit/s" },
    ...{ workload: "bulk", payload: 65536, single: true },
  },
];

/** Throws VNF_USAGE for a name that is none. */
export function chooseRows(names: readonly string[] | undefined): readonly Row[] {
  const known = ROWS.map(({ name }) => name);
  return (names ?? known).map((name) => {
    const row = ROWS.find((candidate) => candidate.name === name);
    if (row) return row;
    const hint = `There are ${known.join(", ")}.`;
    throw new VnflabError("VNF_USAGE", `no row "${name}"${didYouMean(name, known)}`, { hint });
  });
}

export function planOf({ workload, payload, single }: Row, { seconds, connections }: Load): WorkloadPlan {
  return { workload, payload, connections: single ? 1 : connections, warmupS: WARM_UP_S, durationS: seconds };
}

/** What the figure of a row is. */
export function quantityOf({ workload }: Row): QuantityName {
  return programsOf(workload).primary;
}
