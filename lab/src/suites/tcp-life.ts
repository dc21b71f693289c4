/** TCP connections in great number, and how they begin and end. */
import type { Application } from "../engine/application.js";
import type { LabMachine } from "../engine/lab.js";
import { readStackReport, type StackReport } from "../engine/stack-report.js";
import {
  type CaseContext,
  Expectations,
  exchange,
  figure,
  figures,
  judgeTransfer,
  type Outcome,
  type TestCase,
} from "./case.js";

const PORT = "9997";
/** More than one burst, and less than a backlog. */
const HANDSHAKES = 64;
const FLOWS = 200;
const FLOW_BYTES = 64 * 1024;
const SHORT_CONNECTIONS = 2000;
const PAGE = "churn";
/** The peer's retransmission meets the new stack; its timer doubles from one second on. */
const RESET_MS = 120_000;

/** Its counters cannot be read. */
const noCounters = ({ from, to }: CaseContext) => {
  const kernel = [from, to].find(({ allocated }) => allocated.stack.kind === "kernel");
  return kernel && `the stack of ${kernel.name} is its kernel, which tells nothing`;
};

export const tcpLifeSuite: readonly TestCase[] = [
  {
    id: "tcp.handshake",
    title: `${HANDSHAKES} connections open by one handshake each, and both ends count the same`,
    once: true,
    notFor: noCounters,
    run: handshake,
  },
  {
    id: "tcp.half-close",
    title: "the side that has sent all ends its half, the other reads to the end and ends its own: no reset",
    once: true,
    notFor: noCounters,
    run: halfClose,
  },
  { id: "tcp.many-flows", title: `${FLOWS} connections at once, each verified`, once: true, run: manyFlows },
  {
    id: "tcp.churn",
    title: `${SHORT_CONNECTIONS} short connections, one after the other and some at once`,
    once: true,
    run: churn,
  },
  {
    id: "tcp.reset",
    title: "a connection that the other end no longer knows is reset, not waited for",
    once: true,
    notFor: noCounters,
    run: reset,
  },
];

const connectTo = (to: LabMachine) => ["-a", to.address, "-p", PORT];

async function handshake({ from, to, wait }: CaseContext): Promise<Outcome> {
  await using sink = await to.start("tcp_sink", ["-l", PORT, "-s", "0"]);
  await sink.listening(wait);
  await using source = await from.start("tcp_source", [...connectTo(to), "-b", "1", "-c", String(HANDSHAKES)]);
  const sent = await source.result(wait);
  const report = await readStackReport(to);
  const received = await sink.stop();
  const expect = new Expectations();
  expect.ended("tcp_source", sent);
  expect.ended("tcp_sink", received);
  expect.equal("connections opened", figure(sent, "connections"), HANDSHAKES);
  expect.equal("connections taken", figure(received, "connections"), HANDSHAKES);
  expect.equal("handshakes counted by the stack", sum(report, "tcp.opened_passive"), HANDSHAKES);
  expect.equal("bytes received", figure(received, "bytes"), HANDSHAKES);
  const retransmitted = sum(report, "tcp.tx_syn_retransmits");
  return {
    problems: expect.problems,
    figures: figures({ connections: HANDSHAKES, syn_retransmits: retransmitted }),
  };
}

async function halfClose({ from, to, wait, random }: CaseContext): Promise<Outcome> {
  const seed = String(random.whole(1, 1_000_000));
  const bytes = random.whole(1, 1_000_000);
  await using sink = await to.start("tcp_sink", ["-l", PORT, "-s", seed]);
  await sink.listening(wait);
  await using source = await from.start("tcp_source", [...connectTo(to), "-b", String(bytes), "-s", seed]);
  const sent = await source.result(wait);
  const report = await readStackReport(to);
  const received = await sink.stop();
  const expect = new Expectations();
  // It has waited for the other side's end after its own.
  expect.ended("tcp_source", sent);
  expect.ended("tcp_sink", received);
  expect.equal("bytes received", figure(received, "bytes"), bytes);
  expect.equal("verified", received.figures?.verified, true);
  expect.equal("connections closed by FIN both ways", sum(report, "tcp.closed_clean"), 1);
  expect.equal("connections closed by an error", sum(report, "tcp.closed_error"), 0);
  expect.equal("resets", sum(report, "tcp.tx_resets"), 0);
  return {
    problems: expect.problems,
    figures: figures({ bytes_sent: bytes, bytes_received: figure(received, "bytes"), verified: true }),
  };
}

async function manyFlows({ from, to, wait, random }: CaseContext): Promise<Outcome> {
  const seed = String(random.whole(1, 1_000_000));
  const count = String(FLOWS);
  const { server, client } = await exchange(
    wait,
    { machine: to, application: "tcp_sink", options: ["-l", PORT, "-n", count, "-s", seed], endsItself: true },
    {
      machine: from,
      application: "tcp_source",
      options: [...connectTo(to), "-b", String(FLOW_BYTES), "-c", count, "-s", seed],
    },
  );
  const expect = new Expectations();
  const all = { sent: client, received: server, bytes: FLOWS * FLOW_BYTES, connections: FLOWS };
  const seen = judgeTransfer(expect, all);
  expect.equal("connections", figure(server, "connections"), FLOWS);
  return { problems: expect.problems, figures: { connections: FLOWS, ...seen } };
}

async function churn({ from, to, wait, random }: CaseContext): Promise<Outcome> {
  const folder = `${to.spec.workDir}/www`;
  await to.run(["mkdir", "-p", folder]);
  const size = random.whole(1, 4000);
  await to.putFile(`${folder}/${PAGE}`, new Uint8Array(size).fill(0x76));
  const { server, client } = await exchange(
    wait,
    { machine: to, application: "epserver", options: ["-p", folder], endsItself: false },
    {
      machine: from,
      application: "epwget",
      options: [`${to.address}/${PAGE}`, String(SHORT_CONNECTIONS), "-c", String(random.whole(8, 64))],
    },
  );
  const expect = new Expectations();
  expect.ended("epwget", client);
  expect.ended("epserver", server);
  expect.equal("requests completed", figure(client, "completed"), SHORT_CONNECTIONS);
  expect.equal("errors", figure(client, "errors"), 0);
  expect.equal("timeouts", figure(client, "timeouts"), 0);
  expect.equal("requests served", figure(server, "requests"), SHORT_CONNECTIONS);
  return {
    problems: expect.problems,
    figures: figures({
      requests_sent: SHORT_CONNECTIONS,
      requests_completed: figure(client, "completed"),
      rps: figure(client, "rps"),
    }),
  };
}

/** The receiver's program is killed and begun anew: its new stack knows no connection, and says so. */
async function reset({ lab, from, to, wait }: CaseContext): Promise<Outcome> {
  const { clock } = lab.context.host;
  await using first = await to.start("tcp_sink", ["-l", PORT, "-s", "0"]);
  await first.listening(wait);
  await using source = await from.start("tcp_source", [...connectTo(to), "-t", "600", "-s", "0"]);
  await established(lab, from, source, wait);
  await first.kill();
  await using second = await to.start("tcp_sink", ["-l", PORT, "-s", "0"]);
  await second.listening(wait);
  const started = clock.now();
  const sent = await source.result({ ...wait, deadlineMs: Math.min(wait.deadlineMs, RESET_MS) });
  const seconds = (clock.now() - started) / 1000;
  const report = await readStackReport(to);
  await second.stop();
  const expect = new Expectations();
  expect.ended("tcp_source", sent, 1);
  expect.atLeast("resets sent by the new stack", sum(report, "tcp.tx_resets"), 1);
  expect.equal("connections of the new stack", sum(report, "tcp.opened_passive"), 0);
  return { problems: expect.problems, figures: figures({ seconds_to_reset: seconds }) };
}

/** Until the sender's stack has a connection. */
async function established(
  lab: CaseContext["lab"],
  machine: LabMachine,
  source: Application,
  wait: CaseContext["wait"],
): Promise<void> {
  const { clock } = lab.context.host;
  const end = clock.now() + wait.deadlineMs;
  for (;;) {
    const report = await readStackReport(machine).catch(() => undefined);
    if (report && sum(report, "tcp.tx_bytes") > 0) return;
    // It says why when it has ended; otherwise that it has not begun in time.
    if (!source.isRunning || clock.now() > end) await source.result({ ...wait, deadlineMs: 1 });
    await clock.delay(100, wait.signal);
  }
}

function sum({ threads }: StackReport, counter: string): number {
  return threads.reduce((total, { counters }) => total + (counters[counter] ?? 0), 0);
}
