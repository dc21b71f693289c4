/** What is measured: a server on one machine, a client on another, one figure. A new row is one entry. */
import type { Application, Wait } from "../../engine/application.js";
import type { Lab, LabMachine } from "../../engine/lab.js";
import { VnflabError } from "../../model/error.js";
import { didYouMean } from "../../model/suggest.js";
import { Expectations, figure } from "../case.js";

/** Which stack the programs are linked with. */
export type Side = "ours" | "kernel";

export interface Load {
  /** How long a client works. */
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
  /** The client works until it is stopped; otherwise it ends by itself after the time. */
  readonly endless: boolean;
  /** Which of the two reports the figure, and its name. */
  readonly figure: readonly ["server" | "client", string];
}

const PORT = "9999";
/** More than any run sends: programs that have no time limit are stopped. */
const ENDLESS_DATAGRAMS = "4000000000";

const udp = (size: number): Row => ({
  name: `udp${size}`,
  title: `datagrams of ${size} bytes that arrive, sent as fast as the sender can`,
  unit: "datagrams/s",
  server: () => ({ application: "udp_sink", options: ["-l", PORT] }),
  client: (_load, address) => ({
    application: "udp_source",
    options: ["-a", address, "-p", PORT, "-n", ENDLESS_DATAGRAMS, "-s", String(size)],
  }),
  endless: true,
  figure: ["server", "pps"],
});

const rpc = (row: Pick<Row, "name" | "title" | "unit" | "figure">, options: readonly string[]): Row => ({
  ...row,
  server: () => ({ application: "rpc_server", options: ["-l", PORT, "-s", "64"] }),
  client: ({ seconds, connections }, address) => ({
    application: "rpc_client",
    options: ["-a", address, "-p", PORT, "-s", "64", "-c", String(connections), "-d", String(seconds), ...options],
  }),
  endless: false,
});

export const ROWS: readonly Row[] = [
  rpc({ name: "rpc64", title: "64-byte requests over kept connections", unit: "req/s", figure: ["client", "rps"] }, []),
  rpc({ name: "short-conn", title: "a connection for each request", unit: "conn/s", figure: ["client", "rps"] }, [
    "--short",
  ]),
  udp(64),
  udp(1400),
  {
    name: "bulk",
    title: "one stream, one way",
    unit: "Gbit/s",
    server: () => ({ application: "tcp_sink", options: ["-l", PORT, "-s", "0"] }),
    client: (_load, address) => ({
      application: "tcp_source",
      options: ["-a", address, "-p", PORT, "-b", "1000g", "-s", "0"],
    }),
    endless: true,
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
  readonly clock: Lab["context"]["host"]["clock"];
}

/** One run of a row. Throws what keeps it from running to its end. */
export async function measure(row: Row, side: Side, ends: Ends, load: Load, wait: Wait): Promise<Measured> {
  const { clock } = ends;
  const start = (machine: LabMachine, { application, options }: Program): Promise<Application> =>
    machine.start(side === "kernel" ? `${application}-kernel` : application, options);
  await using server = await start(ends.server, row.server(load));
  await server.listening(wait);
  await using client = await start(ends.client, row.client(load, ends.server.address));
  if (row.endless) await clock.delay(load.seconds * 1000, wait.signal);
  const asked = await (row.endless ? client.stop() : client.result(wait));
  const served = await server.stop();
  const expect = new Expectations();
  expect.ended(client.title, asked);
  expect.ended(server.title, served);
  const [from, name] = row.figure;
  const value = figure(from === "server" ? served : asked, name);
  if (expect.problems.length === 0 && !(value > 0)) expect.problems.push(`${from}'s ${name}: ${value}`);
  return { value, problems: expect.problems };
}
