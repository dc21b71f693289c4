/**
 * A peer on the Linux kernel's own sockets, run inside a network namespace. Prints JSON lines.
 *   receive PORT                  takes one connection to its end: bytes and SHA-256
 *   send ADDRESS PORT BYTES       sends so many bytes, then waits for the other side to close
 *   udp-echo PORT                 sends every datagram back, until a signal
 *   udp-ping ADDRESS PORT COUNT   sends datagrams of several sizes, one after the other, and compares the echoes
 *   connect ADDRESS PORT          the error code of a connection attempt
 */
import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

const BLOCK = randomBytes(1 << 20);
const ECHO_MS = 2_000;

function print(report: object): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

async function receive(port: number): Promise<void> {
  const server = createServer({ allowHalfOpen: false }).listen(port, () => print({ event: "listening", port }));
  const [socket] = (await once(server, "connection")) as [Socket];
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  server.close();
  print({ event: "result", bytes, sha256: hash.digest("hex") });
}

async function send(address: string, port: number, bytes: number): Promise<void> {
  const socket = connect(port, address);
  const hash = createHash("sha256");
  await once(socket, "connect");
  for (let left = bytes; left > 0; ) {
    const block = left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK;
    hash.update(block);
    left -= block.length;
    if (!socket.write(block)) await once(socket, "drain");
  }
  socket.end();
  socket.resume();
  await once(socket, "close");
  print({ event: "result", bytes, sha256: hash.digest("hex") });
}

function udpEcho(port: number): void {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => socket.send(message, from.port, from.address));
  socket.bind(port, () => print({ event: "listening", port }));
}

async function udpPing(address: string, port: number, count: number): Promise<void> {
  const socket = createSocket("udp4");
  let equal = 0;
  for (let i = 0; i < count; i++) {
    const sent = BLOCK.subarray(i, i + ((i * 37) % 1473));
    const timeout = AbortSignal.timeout(ECHO_MS);
    const answer = once(socket, "message", { signal: timeout }).catch(() => [Buffer.from("no answer")]);
    socket.send(sent, port, address);
    const [echo] = (await answer) as [Buffer];
    equal += Number(sent.equals(echo));
  }
  socket.close();
  print({ event: "result", sent: count, equal });
}

async function tryConnect(address: string, port: number): Promise<void> {
  const socket = connect(port, address);
  const [error] = (await once(socket, "error").catch((cause) => [cause])) as [NodeJS.ErrnoException];
  print({ event: "result", code: error.code });
}

const [mode, ...args] = process.argv.slice(2);
if (mode === "receive") await receive(Number(args[0]));
else if (mode === "send") await send(String(args[0]), Number(args[1]), Number(args[2]));
else if (mode === "udp-echo") udpEcho(Number(args[0]));
else if (mode === "udp-ping") await udpPing(String(args[0]), Number(args[1]), Number(args[2]));
else if (mode === "connect") await tryConnect(String(args[0]), Number(args[1]));
else throw new Error(`unknown mode ${mode}`);
