/** `vnflab` on a real terminal. */
import { openEngine } from "../engine/compose.js";
import { watchInterrupts } from "./interrupt.js";
import type { Io, Keyboard } from "./io.js";
import { run } from "./program.js";

/** Ctrl-] */
const ESCAPE = 0x1d;

export async function main(argv: readonly string[]): Promise<void> {
  const interrupted = watchInterrupts(process, (text) => void process.stderr.write(text));
  // Whoever reads along may leave; what has been begun is still carried through, or taken down.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const io: Io = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interrupted,
    openEngine,
    readInput,
    keyboard,
  };
  process.exitCode = await run(argv, io);
}

async function readInput(): Promise<Uint8Array | undefined> {
  if (process.stdin.isTTY) return undefined;
  return Buffer.concat(await process.stdin.toArray());
}

function keyboard(): Keyboard | undefined {
  const { stdin } = process;
  if (!stdin.isTTY) return undefined;
  stdin.setRawMode(true);
  const ended = new Promise<void>((resolve) => {
    stdin.on("data", (data: Buffer) => {
      if (!data.includes(ESCAPE)) return;
      stdin.setRawMode(false);
      stdin.pause();
      resolve();
    });
  });
  return { onInput: (listener) => void stdin.on("data", listener), ended };
}
