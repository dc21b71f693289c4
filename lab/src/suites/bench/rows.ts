/** What is measured: a server on one machine, a client on another, one figure. A new row is one entry. */
import type { Application, Wait } from "../../engine/application.js";
import type { LabMachine } from "../../engine/lab.js";
import { VnflabError } from "../../model/error.js";
import { didYouMean } from "../../model/suggest.js";
import { Expectations, figure } from "../case.js";

/** Which stack the programs are linked with. */
export type Side = "ours" | "kernel";

export interface Load {
  /** That count, after the warm-up. */
  readonly seconds: number;
  /** Of the rows with many connections. */
  readonly connections: number;
}

export interface Measured {
  /** NaN when the programs have not said. */
  readonly value: number;
  /** What was not as it should be; none: the value counts. */
  readonly problems: readonly string[];
}

interface Program {
  readonly application: string;
  readonly options: readonly string[];
}

export interface Row {
  /** The same as in the table of `make bench`. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  server(load: Load): Program;
  client(load: Load, address: string): Program;
  /** Which of the two reports the figure, and its name. */
  readonly figure: readonly ["server" | "client", string];
}

const PORT = "9999";
/** Runs before what counts: connections are open and windows wide by then. */
const WARM_UP_S = 1;

const rpc = (row: Pick<Row, "name" | "title" | "unit">, options: readonly string[]): Row => ({
  ...row,
  server: () => ({ application: "rpc_server", options: ["-l", PORT] }),
  client: ({ seconds, connections }, address) => ({
    application: "rpc_client",
    options: [
      ...["-a", address, "-p", PORT, "-c", String(connections)],
      ...["-w", String(WARM_UP_S), "-d", String(seconds), ...options],
    ],
  }),
  figure: ["client", "rps"],
});

const udp = (size: number): Row => ({
  name: `udp${size}`,
  title: `datagrams of ${size} bytes that arrive, sent as fast as possible`,
  unit: "datagrams/s",
  server: () => ({ application: "udp_sink", options: ["-l", PORT, "--fast", "-w", String(WARM_UP_S)] }),
  client: ({ seconds }, address) => ({
    application: "udp_source",
    options: ["-a", address, "-p", PORT, "--fast", "-s", String(size), "-t", String(WARM_UP_S + seconds)],
  }),
  figure: ["server", "pps"],
});

const ROWS: readonly Row[] = [
  rpc({ name: "rpc64", title: "64-byte requests and answers over connections that stay", unit: "req/s" }, []),
  rpc({ name: "short-conn", title: "connections with one request and a normal close", unit: "conn/s" }, ["--short"]),
  udp(64),
  udp(1400),
  {
    name: "bulk",
    title: "one TCP flow, a stream that is not looked at",
    unit: "Gbit/s",
    server: () => ({ application: "tcp_sink", options: ["-l", PORT, "-s", "0", "-w", String(WARM_UP_S)] }),
    client: ({ seconds }, address) => ({
      application: "tcp_source",
      options: ["-a", address, "-p", PORT, "-s", "0", "-t", String(WARM_UP_S + seconds)],
    }),
    figure: ["server", "gbps"],
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

export interface Ends {
  readonly server: LabMachine;
  readonly client: LabMachine;
}

/** One run of a row. Throws what keeps it from running to its end. */
export async function measure(row: Row, side: Side, ends: Ends, load: Load, wait: Wait): Promise<Measured> {
  const start = (machine: LabMachine, { application, options }: Program): Promise<Application> =>
    machine.start(side === "kernel" ? `${application}-kernel` : application, options);
  await using server = await start(ends.server, row.server(load));
  await server.listening(wait);
  await using client = await start(ends.client, row.client(load, ends.server.address));
  const asked = await client.result(wait);
  const served = await server.stop();
  const expect = new Expectations();
  expect.ended(client.title, asked);
  expect.ended(server.title, served);
  const [from, name] = row.figure;
  const value = figure(from === "server" ? served : asked, name);
  if (expect.problems.length === 0 && !(value > 0)) expect.problems.push(`${from}'s ${name}: ${value}`);
  return { value, problems: expect.problems };
}
