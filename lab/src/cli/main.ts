/** `vnflab` on a real terminal. */
import { openEngine } from "../engine/compose.js";
import { watchInterrupts } from "./interrupt.js";
import type { Io, Keyboard, TerminalFacts } from "./io.js";
import { run } from "./program.js";
import { wantsColor } from "./style.js";

/** Ctrl-] */
const ESCAPE = 0x1d;
/** How long this process may still live when its command has ended. */
const REST_MS = 10_000;

export async function main(argv: readonly string[]): Promise<void> {
  const interrupted = watchInterrupts(process, (text) => void process.stderr.write(text));
  // Whoever reads along may leave; what has been begun is still carried through, or taken down.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const io: Io = {
    out: (text) => void process.stdout.write(text),
    outBytes: (bytes) => new Promise((resolve) => process.stdout.write(bytes, (error) => resolve(!error))),
    err: (text) => void process.stderr.write(text),
    interrupted,
    terminal: terminalFacts(),
    outIsTerminal: process.stdout.isTTY === true,
    openEngine,
    readInput,
    enter,
    keyboard,
  };
  process.exitCode = await run(argv, io);
  endSoon();
}

/** Something that was left open keeps a process alive; whoever waits for the command has its result already. */
function endSoon(): void {
  const timer = setTimeout(() => {
    process.stderr.write(`vnflab has not ended by itself; still open: ${process.getActiveResourcesInfo().join(" ")}\n`);
    process.exit();
  }, REST_MS);
  // It alone keeps nothing alive.
  timer.unref();
}

async function readInput(): Promise<Uint8Array | undefined> {
  if (process.stdin.isTTY) return undefined;
  return Buffer.concat(await process.stdin.toArray());
}

function terminalFacts(): TerminalFacts {
  const { stderr, env } = process;
  const isTerminal = stderr.isTTY === true;
  return {
    interactive: process.stdin.isTTY === true,
    redraws: isTerminal && env.TERM !== "dumb",
    color: wantsColor(env, isTerminal),
    columns: stderr.columns ?? 100,
    now: () => performance.now(),
    every(ms, tick) {
      const timer = setInterval(tick, ms);
      timer.unref();
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
  };
}

function enter(): Promise<void> | undefined {
  const { stdin } = process;
  if (!stdin.isTTY) return undefined;
  return new Promise((resolve) => {
    stdin.once("data", () => {
      stdin.pause();
      resolve();
    });
    stdin.resume();
  });
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
