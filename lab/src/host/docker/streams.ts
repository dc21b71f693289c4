/** Programs in containers, as streams. */
import { Duplex, PassThrough } from "node:stream";
import type Docker from "dockerode";
import type { CommandOptions } from "../exec.js";
import { withoutTimeLimit } from "./engine.js";

const COMPLAINTS_MAX = 4000;

export interface HelperStream {
  readonly stream: Duplex;
  /** What came on standard error. */
  readonly complaints: () => string;
}

/** Takes the engine's stream, in which two are mixed, apart. */
export function helperStream(docker: Docker, mixed: Duplex): HelperStream {
  const out = new PassThrough();
  const err = new PassThrough();
  let said = "";
  err.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-COMPLAINTS_MAX);
  });
  docker.modem.demuxStream(mixed, out, err);
  // The demultiplexer does not end what it writes to.
  const end = () => out.end();
  mixed.on("end", end).on("close", end).on("error", end);
  const stream = new Duplex({
    read: () => out.resume(),
    write: (chunk, _encoding, done) => {
      if (mixed.writable) mixed.write(chunk, (error) => done(error ?? null));
      else done();
    },
    final: (done) => {
      mixed.end();
      done();
    },
    destroy: (error, done) => {
      mixed.destroy();
      done(error);
    },
  });
  out.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) out.pause();
  });
  out.on("end", () => stream.push(null));
  return { stream, complaints: () => said };
}

/** A program in a container on this process's terminal; gives its exit code. */
export async function runOnTerminal(
  container: Docker.Container,
  argv: readonly string[],
  options: CommandOptions,
): Promise<number> {
  const exec = await container.exec({
    ...{ Cmd: [...argv], Tty: true, AttachStdin: true, AttachStdout: true, AttachStderr: true },
    Env: Object.entries({ TERM: process.env.TERM ?? "xterm", ...options.env }).map(([key, value]) => `${key}=${value}`),
    ...(options.cwd === undefined ? {} : { WorkingDir: options.cwd }),
  });
  const stream = withoutTimeLimit(await exec.start({ hijack: true, stdin: true, Tty: true }));
  const { stdin, stdout } = process;
  const resize = () => void exec.resize({ h: stdout.rows, w: stdout.columns }).catch(() => {});
  stdin.setRawMode?.(true);
  stdin.pipe(stream);
  stream.pipe(stdout, { end: false });
  stdout.on("resize", resize);
  resize();
  try {
    await new Promise<void>((resolve) => stream.once("end", resolve).once("close", resolve));
    return (await exec.inspect()).ExitCode ?? 1;
  } finally {
    stdout.off("resize", resize);
    stdin.unpipe(stream);
    stdin.setRawMode?.(false);
    stdin.pause();
  }
}
