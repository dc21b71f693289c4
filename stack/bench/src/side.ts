/** A stack that a row is measured on, and one measurement on it. */
import { Program } from "./process.js";
import type { Result } from "./result.js";
import type { Addresses, Commands, Row } from "./rows.js";

export type End = "server" | "client";

export interface Side extends AsyncDisposable {
  readonly name: "ours" | "kernel";
  readonly address: string;
  /** The whole command line of a program at one end. */
  command: (end: End, argv: readonly string[]) => string[];
  /** What the row wants of the link; before each run. */
  prepare: (row: Row) => void;
}

export interface Measured {
  client: Result;
  server: Result;
}

const START_MS = 20_000;

/** Starts the server, runs the client to its end, stops the server. */
export async function runOnce(side: Side, row: Row, commands: Commands, seconds: number): Promise<Measured> {
  side.prepare(row);
  const server = new Program(side.command("server", commands.server));
  await server.said('"event":"listening"', START_MS);
  const client = await new Program(side.command("client", commands.client)).result(START_MS + 3000 * seconds);
  server.interrupt();
  return { client, server: await server.result(START_MS) };
}

export function addresses(side: Side, www: string): Addresses {
  return { server: side.address, www };
}
