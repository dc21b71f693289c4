/** What all commands share: --json, the engine's life, progress on standard error, exit codes. */
import type { Command } from "commander";
import type { EngineContext } from "../engine/context.js";
import { formatEvent, type LabEvent } from "../engine/events.js";
import type { VnflabError } from "../model/error.js";
import type { Io } from "./io.js";

export interface CommonOptions {
  readonly json?: boolean;
}

/** Adds one command to the program; its actions say how they ended by `finish`. */
export type RegisterCommand = (program: Command, io: Io, finish: (exitCode: number) => void) => void;

/** Exit code of a command that did its work and whose answer is no: a failed case, a failed check. */
export const ANSWER_IS_NO = 1;

export const JSON_OPTION = [
  "--json",
  "data as JSON on standard output, events as JSON lines on standard error",
] as const;

/** Opens the engine, runs the work and closes the engine again, whatever happens. */
export async function withEngine<T>(
  io: Io,
  options: CommonOptions,
  work: (engine: EngineContext) => Promise<T>,
): Promise<T> {
  await using engine = await io.openEngine((event) => showEvent(io, options, event));
  return await work(engine);
}

/** Data for standard output: JSON when asked for, text otherwise. */
export function show(io: Io, options: CommonOptions, data: unknown, text: string): void {
  io.out(options.json ? `${JSON.stringify(data, null, 2)}\n` : text);
}

function showEvent(io: Io, options: CommonOptions, event: LabEvent): void {
  const line = options.json ? JSON.stringify(event) : formatEvent(event);
  if (line !== undefined) io.err(`${line}\n`);
}

export function showError(io: Io, json: boolean, error: VnflabError): void {
  if (json) {
    io.err(`${JSON.stringify({ type: "error", error })}\n`);
    return;
  }
  const log = error.log && error.log.lines.length > 0 ? [`last lines of ${error.log.file}:`, ...error.log.lines] : [];
  const lines = [`error ${error.code}: ${error.message}`, ...log.map((line, i) => (i === 0 ? line : `  | ${line}`))];
  io.err(`${[...lines, `hint: ${error.hint}`].join("\n")}\n`);
  if (process.env.VNFLAB_DEBUG) io.err(`${error.stack}\n${error.cause instanceof Error ? error.cause.stack : ""}\n`);
}
