/** UDP across two machines: paced datagrams, as many as will go, and an echo. */
import type { ApplicationResult } from "../engine/application.js";
import { type CaseContext, Expectations, exchange, figure, figures, type Outcome, type TestCase } from "./case.js";

const PORT = "9999";
const SIZE = 1400;
/** Slow enough for two emulated machines on two cores. */
const PACED_PPS = 2000;
/** Seconds without a datagram after which the sink gives up waiting for the rest. */
const IDLE_S = 5;
/**
 * Of paced datagrams, this part must arrive or be known to have been dropped by the switch, because the machine was not
 * scheduled for so long that its ring was full; and this part must arrive in any case.
 */
const ACCOUNTED = 0.99;
const ARRIVING = 0.5;

export const udpSuite: readonly TestCase[] = [
  {
    id: "udp.paced",
    title: `datagrams of ${SIZE} bytes at ${PACED_PPS} a second`,
    run: (context) => oneWay(context, { pps: PACED_PPS, paced: true }),
  },
  {
    id: "udp.flood",
    title: "datagrams as fast as the sender can; losses are counted, what arrives is intact",
    run: (context) => oneWay(context, { pps: 0, paced: false }),
  },
  {
    id: "udp.sizes",
    title: "datagrams of a size by chance, small or large, each as it was",
    run: (context) => oneWay(context, { pps: PACED_PPS, paced: true, size: context.random.whole(16, SIZE) }),
  },
  { id: "udp.echo", title: "every datagram comes back", run: echo },
];

interface OneWay {
  /** 0: no limit. */
  readonly pps: number;
  /** Slow enough for nearly all to arrive. */
  readonly paced: boolean;
  readonly size?: number;
}

async function oneWay(context: CaseContext, { pps, paced, size = SIZE }: OneWay): Promise<Outcome> {
  const { results, dropped } = await flow(context, ["-r", String(pps), "-s", String(size)], []);
  const { server: sink, client: source } = results;
  const received = figure(sink, "received");
  const expect = new Expectations();
  expect.ended("udp_source", source);
  if (paced) expectPaced(expect, context, source, received, dropped);
  expect.atLeast("datagrams received", received, 1);
  expect.equal("corrupt datagrams", figure(sink, "corrupt"), 0);
  expect.equal("duplicates", figure(sink, "duplicates"), 0);
  expect.equal("bytes received", figure(sink, "bytes"), received * size);
  return {
    problems: expect.problems,
    figures: figures({
      datagrams_sent: figure(source, "sent"),
      datagrams_received: received,
      size,
      verified: figure(sink, "corrupt") === 0,
      lost: figure(sink, "lost"),
      dropped_by_switch: dropped,
      reordered: figure(sink, "reordered"),
      bytes_received: figure(sink, "bytes"),
      pps: figure(sink, "pps"),
      gbps: figure(sink, "gbps"),
    }),
  };
}

async function echo(context: CaseContext): Promise<Outcome> {
  const { results, dropped } = await flow(context, ["-r", String(PACED_PPS), "--echo"], ["--echo"]);
  const { server: sink, client: source } = results;
  const echoed = figure(source, "echoed");
  const expect = new Expectations();
  expect.ended("udp_source", source);
  expectPaced(expect, context, source, echoed, dropped);
  expect.equal("corrupt datagrams", figure(sink, "corrupt"), 0);
  const rtt = source.figures?.rtt_us as Record<string, unknown> | undefined;
  return {
    problems: expect.problems,
    figures: figures({
      datagrams_sent: figure(source, "sent"),
      datagrams_received: echoed,
      verified: figure(sink, "corrupt") === 0,
      dropped_by_switch: dropped,
      rtt_p50_us: rtt?.p50,
      rtt_p99_us: rtt?.p99,
      pps: figure(source, "pps"),
    }),
  };
}

function expectPaced(
  expect: Expectations,
  { amounts: { datagrams } }: CaseContext,
  source: ApplicationResult,
  arrived: number,
  dropped: number,
): void {
  expect.equal("datagrams sent", figure(source, "sent"), datagrams);
  expect.atLeast("datagrams arrived", arrived, Math.floor(datagrams * ARRIVING));
  expect.atLeast("datagrams arrived or dropped by the switch", arrived + dropped, Math.floor(datagrams * ACCOUNTED));
}

async function flow(context: CaseContext, send: readonly string[], receive: readonly string[]) {
  const { from, to, amounts, wait } = context;
  const count = ["-n", String(amounts.datagrams)];
  const before = await droppedBySwitch(context);
  const results = await exchange(
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
      options: ["-a", to.address, "-p", PORT, ...count, ...send],
    },
  );
  return { results, dropped: (await droppedBySwitch(context)) - before };
}

/** Frames that either machine did not take from the switch. */
async function droppedBySwitch({ lab, from, to }: CaseContext): Promise<number> {
  const { ports } = await lab.switchState();
  return ports
    .filter(({ name }) => name === from.name || name === to.name)
    .reduce((sum, { dropped }) => sum + dropped, 0);
}
