/** UDP across two machines: paced datagrams, as many as will go, and an echo. */
import { type CaseContext, Expectations, exchange, figure, figures, type Outcome, type TestCase } from "./case.js";

const PORT = "9999";
const SIZE = 1400;
/** Slow enough for two emulated machines on two cores. */
const PACED_PPS = 2000;
/** Seconds without a datagram after which the sink gives up waiting for the rest. */
const IDLE_S = 5;
/** Of paced datagrams, this part must arrive. */
const ARRIVING = 0.99;

export const udpSuite: readonly TestCase[] = [
  {
    id: "udp.paced",
    title: `datagrams of ${SIZE} bytes at ${PACED_PPS} a second`,
    run: (context) => oneWay(context, { pps: PACED_PPS, part: ARRIVING }),
  },
  {
    id: "udp.flood",
    title: "datagrams as fast as the sender can; losses are counted, what arrives is intact",
    run: (context) => oneWay(context, { pps: 0, part: 0 }),
  },
  { id: "udp.echo", title: "every datagram comes back", run: echo },
];

interface OneWay {
  /** 0: no limit. */
  readonly pps: number;
  /** Of the datagrams, what must arrive. */
  readonly part: number;
}

async function oneWay(context: CaseContext, { pps, part }: OneWay): Promise<Outcome> {
  const { datagrams } = context.amounts;
  const { server: sink, client: source } = await flow(context, ["-r", String(pps)], []);
  const expect = new Expectations();
  expect.ended("udp_source", source);
  // The sink of a flood that lost datagrams has verified those that came.
  if (part > 0) expect.equal("datagrams sent", figure(source, "sent"), datagrams);
  expect.atLeast("datagrams received", figure(sink, "received"), Math.max(1, Math.floor(datagrams * part)));
  expect.equal("corrupt datagrams", figure(sink, "corrupt"), 0);
  expect.equal("duplicates", figure(sink, "duplicates"), 0);
  return {
    problems: expect.problems,
    figures: figures({
      datagrams_sent: figure(source, "sent"),
      datagrams_received: figure(sink, "received"),
      verified: figure(sink, "corrupt") === 0,
      lost: figure(sink, "lost"),
      reordered: figure(sink, "reordered"),
      bytes_received: figure(sink, "bytes"),
      pps: figure(sink, "pps"),
      gbps: figure(sink, "gbps"),
    }),
  };
}

async function echo(context: CaseContext): Promise<Outcome> {
  const { datagrams } = context.amounts;
  const { server: sink, client: source } = await flow(context, ["-r", String(PACED_PPS), "--echo"], ["--echo"]);
  const expect = new Expectations();
  expect.ended("udp_source", source);
  expect.equal("datagrams sent", figure(source, "sent"), datagrams);
  expect.atLeast("datagrams echoed", figure(source, "echoed"), Math.floor(datagrams * ARRIVING));
  expect.equal("corrupt datagrams", figure(sink, "corrupt"), 0);
  const rtt = source.figures?.rtt_us as Record<string, unknown> | undefined;
  return {
    problems: expect.problems,
    figures: figures({
      datagrams_sent: figure(source, "sent"),
      datagrams_received: figure(source, "echoed"),
      verified: figure(sink, "corrupt") === 0,
      rtt_p50_us: rtt?.p50,
      rtt_p99_us: rtt?.p99,
      pps: figure(source, "pps"),
    }),
  };
}

function flow({ from, to, amounts, wait }: CaseContext, send: readonly string[], receive: readonly string[]) {
  const count = ["-n", String(amounts.datagrams)];
  return exchange(
    wait,
    {
      machine: to,
      application: "udp_sink",
      options: ["-l", PORT, ...count, "-t", String(IDLE_S), ...receive],
      endsItself: true,
    },
    {
      machine: from,
      application: "udp_source",
      options: ["-a", to.address, "-p", PORT, ...count, "-s", String(SIZE), ...send],
    },
  );
}
