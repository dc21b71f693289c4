/** The logs of a lab, while it exists. */
import { VnflabError } from "../model/error.js";
import type { EngineContext, Placed } from "./context.js";
import { GrowingFile } from "./growing-file.js";
import { findRecord, type LabRecord, machineOf, requireRecord } from "./record.js";

const FOLLOW_MS = 200;

export interface LabLog {
  readonly source: string;
  readonly file: string;
  readonly lines: readonly string[];
}

/** Of one source (a machine's name, or "switch"), or of all. */
export async function readLogs(
  context: EngineContext,
  lab: string,
  source: string | undefined,
  lines: number,
): Promise<LabLog[]> {
  const files = logFiles(await requireRecord(context.host.files, context.layout, lab), source);
  return Promise.all(
    files.map(async ({ name, file, of }) => {
      return { source: name, file, lines: await context.hostOf(of).files.tail(file, lines) };
    }),
  );
}

/** Tells every new line of the logs until the signal aborts or the lab is gone. */
export async function followLogs(
  context: EngineContext,
  lab: string,
  source: string | undefined,
  options: { readonly signal: AbortSignal; readonly onLine: (source: string, line: string) => void },
): Promise<void> {
  const { clock, files: records } = context.host;
  const record = await requireRecord(records, context.layout, lab);
  const logs = await Promise.all(
    logFiles(record, source).map(async ({ name, file, of }) => {
      return { name, file: await GrowingFile.fromEnd(context.hostOf(of).files, file) };
    }),
  );
  while (!options.signal.aborted) {
    for (const { name, file } of logs) {
      for (const line of await file.newLines()) options.onLine(name, line);
    }
    if (!(await findRecord(records, record.deployment.stateDir))) return;
    await clock.delay(FOLLOW_MS, options.signal).catch(() => {});
  }
}

interface LogFile {
  readonly name: string;
  readonly file: string;
  readonly of: Placed;
}

function logFiles(record: LabRecord, source: string | undefined): LogFile[] {
  const sw = { name: "switch", file: record.switch.logFile, of: record.switch };
  if (source === "switch") return [sw];
  const specs = source === undefined ? record.machines : [machineOf(record, source).spec];
  const machines = specs.map((spec) => ({ name: spec.machine, file: spec.consoleLog, of: spec }));
  return source === undefined ? [sw, ...machines] : machines;
}

export interface ConsolePlace {
  readonly machine: string;
  readonly log: string;
  readonly socket: string;
}

/** Where a machine's console is. Throws VNF_USAGE for a machine without one. */
export async function findConsole(context: EngineContext, lab: string, machine: string): Promise<ConsolePlace> {
  const record = await requireRecord(context.host.files, context.layout, lab);
  const { spec } = machineOf(record, machine);
  if (spec.kind !== "vm" || spec.consoleSocket === undefined) {
    throw new VnflabError("VNF_USAGE", `${machine} has no console to type on`, {
      hint: `Use \`vnflab logs ${lab} ${machine}\` to see what it prints, \`vnflab exec\` to run something in it.`,
    });
  }
  return { machine, log: spec.consoleLog, socket: spec.consoleSocket };
}

/** Connects a console with a pair of streams until either side ends it. */
export async function attachConsole(
  context: EngineContext,
  place: ConsolePlace,
  terminal: {
    onInput(listener: (data: Uint8Array) => void): void;
    write(data: Uint8Array): void;
    ended: Promise<void>;
  },
): Promise<void> {
  try {
    await using stream = await context.host.sockets.connect(`unix:${place.socket}`);
    stream.onData((data) => terminal.write(data));
    terminal.onInput((data) => stream.write(data));
    await Promise.race([stream.closed, terminal.ended]);
  } catch (cause) {
    throw new VnflabError("VNF_MACHINE_FAILED", `the console of ${place.machine} cannot be reached`, { cause });
  }
}
