/** A terminal in memory, for tests of commands. */
import type { FakeEngine } from "../engine/fake-engine.js";
import type { Io, TerminalFacts } from "./io.js";
import { run } from "./program.js";

export const PLAIN: TerminalFacts = {
  interactive: false,
  redraws: false,
  color: false,
  columns: 80,
  now: () => 0,
  every: () => ({ [Symbol.dispose]() {} }),
};

export interface FakeRun {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command over a fake engine; "typed" is on its standard input. */
export async function runFake(engine: FakeEngine, argv: readonly string[], more: Partial<Io> = {}): Promise<FakeRun> {
  const output = { out: "", err: "" };
  const io: Io = {
    out: (text) => {
      output.out += text;
    },
    outBytes: async (bytes) => {
      output.out += Buffer.from(bytes).toString("latin1");
      return true;
    },
    err: (text) => {
      output.err += text;
    },
    interrupted: new AbortController().signal,
    openEngine: async (emit) => engine.listening(emit),
    readInput: async () => new TextEncoder().encode("typed"),
    enter: () => undefined,
    keyboard: () => undefined,
    terminal: PLAIN,
    outIsTerminal: false,
    ...more,
  };
  const exitCode = await run(argv, io);
  return { exitCode, ...output };
}
