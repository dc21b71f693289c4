/** The logs of a lab, while it exists. */
import { VnflabError } from "../model/error.js";
import type { EngineContext } from "./context.js";
import { machineOf, requireRecord } from "./record.js";

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
  const record = await requireRecord(context.host.files, context.layout, lab);
  const machines = source === undefined ? record.machines : [];
  const chosen = source === undefined || source === "switch" ? [] : [machineOf(record, source).spec];
  const files = [
    ...(source === undefined || source === "switch" ? [["switch", record.switch.logFile] as const] : []),
    ...[...machines, ...chosen].map(({ machine, consoleLog }) => [machine, consoleLog] as const),
  ];
  return Promise.all(
    files.map(async ([name, file]) => ({ source: name, file, lines: await context.host.files.tail(file, lines) })),
  );
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
