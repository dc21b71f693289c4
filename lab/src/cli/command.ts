/** What all commands share: --json, the engine's life, progress on standard error, exit codes. */
import type { Command } from "commander";
import type { EngineContext } from "../engine/context.js";
import type { VnflabError } from "../model/error.js";
import type { Io } from "./io.js";
import { progressOn } from "./progress.js";
import { painter } from "./style.js";

export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Every command that works has these two. */
export function addVolume(command: Command): void {
  command.option("-q, --quiet", "no progress, only errors");
  command.option("-v, --verbose", "progress line by line with the time since the start, also on a terminal");
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
  using progress = progressOn(io, options);
  await using engine = await io.openEngine((event) => progress.show(event));
  return await work(engine);
}

/** Data for standard output: JSON when asked for, text otherwise. */
export function show(io: Io, options: CommonOptions, data: unknown, text: string): void {
  io.out(options.json ? `${JSON.stringify(data, null, 2)}\n` : text);
}

export function showError(io: Io, json: boolean, error: VnflabError): void {
  if (json) {
    io.err(`${JSON.stringify({ type: "error", error })}\n`);
    return;
  }
  const logs = [...(error.log ? [error.log] : []), ...(error.moreLogs ?? [])].filter(({ lines }) => lines.length > 0);
  const paint = painter(io.terminal.color);
  const lines = [
    `${paint("red", `error ${error.code}:`)} ${error.message}`,
    ...logs.flatMap(({ file, lines }) => [`last lines of ${file}:`, ...lines.map((line) => `  | ${line}`)]),
  ];
  io.err(`${[...lines, `hint: ${error.hint}`].join("\n")}\n`);
  if (process.env.VNFLAB_DEBUG) io.err(`${error.stack}\n${error.cause instanceof Error ? error.cause.stack : ""}\n`);
}
