/** The stacks over a link that loses, delays and reorders: what arrives is right, and what is counted is what happened. */
import { impairLink, linkState } from "../engine/impair.js";
import type { ImpairModel } from "../model/topology.js";
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

const PORT = "9992";
const DELAY_US = 10_000;
/** Of the delay; the rest of a round trip is the machines' own. */
const TOLERANCE = 0.1;
const ECHOES = 500;
const ECHO_PPS = 100;
const LOSS = 0.05;
const DATAGRAMS = 10_000;
const PPS = 2000;
/** Datagrams lost by chance: four standard deviations of 10,000 at 5 % are 0.9 percentage points. */
const LOSS_TOLERANCE = 0.01;
const IDLE_S = 5;
const NONE: Omit<ImpairModel, "seed"> = { delayUs: 0, jitterUs: 0, loss: 0, duplicate: 0, reorder: 0 };

const needsLink = ({ from, to }: CaseContext) =>
  sharedLink({ from, to }) === undefined ? `${from.name} and ${to.name} are not on one link` : undefined;

async function needsOurSwitch({ lab }: CaseContext): Promise<string | undefined> {
  const { kind } = lab.record.switch;
  return kind === "vportd" ? undefined : `a switch of kind ${kind} impairs no link`;
}

const every = { notFor: needsLink, blockedBy: needsOurSwitch, once: true } as const;

export const impairSuite: readonly TestCase[] = [
  {
    ...every,
    id: "impair.tcp-loss",
    title: "a transfer over a link that loses 1 of 100 frames arrives whole, by retransmission",
    run: (context) => transfer(context, { ...NONE, loss: 0.01 }),
  },
  {
    ...every,
    id: "impair.tcp-reorder",
    title: "a transfer over a link that reorders and duplicates arrives whole and in order",
    run: (context) => transfer(context, { ...NONE, delayUs: 1000, jitterUs: 200, reorder: 0.05, duplicate: 0.01 }),
  },
  {
    ...every,
    id: "impair.udp-loss",
    title: `of ${DATAGRAMS} datagrams those are missing that the link has lost, and the receiver counts them`,
    run: udpLoss,
  },
  {
    ...every,
    id: "impair.delay",
    title: `a delay of ${DELAY_US / 1000} ms each way makes a round trip of twice as much`,
    run: delay,
  },
];

function sharedLink({ from, to }: Pick<CaseContext, "from" | "to">): string | undefined {
  const [first] = from.allocated.nics;
  return first && to.allocated.nics[0]?.link === first.link ? first.link : undefined;
}

/** Impairs the machines' link until it is disposed; then it is as it was. */
async function impaired(context: CaseContext, impair: Omit<ImpairModel, "seed">): Promise<AsyncDisposable> {
  const { lab, random } = context;
  const link = sharedLink(context) ?? "";
  const name = lab.record.lab;
  const before = (await linkState(lab.context, name, link)).impair;
  await impairLink(lab.context, name, link, { ...impair, seed: random.whole(1, 1_000_000) });
  return {
    async [Symbol.asyncDispose]() {
      await impairLink(lab.context, name, link, before);
    },
  };
}

/** Frames that the link has lost so far. */
async function lostByLink(context: CaseContext): Promise<number> {
  const { ports } = await linkState(context.lab.context, context.lab.record.lab, sharedLink(context) ?? "");
  return ports.reduce((sum, { lost }) => sum + lost, 0);
}

async function transfer(context: CaseContext, impair: Omit<ImpairModel, "seed">): Promise<Outcome> {
  const { from, to, amounts, wait, random } = context;
  const seed = String(random.whole(1, 1_000_000));
  const bytes = Math.ceil(amounts.bytes / 16);
  const before = await lostByLink(context);
  await using _impaired = await impaired(context, impair);
  const { server, client } = await exchange(
    wait,
    { machine: to, application: "tcp_sink", options: ["-l", PORT, "-n", "1", "-s", seed], endsItself: true },
    {
      machine: from,
      application: "tcp_source",
      options: ["-a", to.address, "-p", PORT, "-b", String(bytes), "-s", seed],
    },
  );
  const lost = (await lostByLink(context)) - before;
  const expect = new Expectations();
  const seen = judgeTransfer(expect, { sent: client, received: server, bytes });
  return { problems: expect.problems, figures: { ...seen, lost_by_link: lost } };
}

async function udpLoss(context: CaseContext): Promise<Outcome> {
  const { from, to, wait } = context;
  const before = await lostByLink(context);
  await using _impaired = await impaired(context, { ...NONE, loss: LOSS });
  const { server, client } = await exchange(
    wait,
    { machine: to, application: "udp_sink", options: ["-l", PORT, "-t", String(IDLE_S)], endsItself: true },
    {
      machine: from,
      application: "udp_source",
      options: ["-a", to.address, "-p", PORT, "-n", String(DATAGRAMS), "-r", String(PPS), "-s", "64"],
    },
  );
  const lost = (await lostByLink(context)) - before;
  const received = figure(server, "received");
  const share = 1 - received / DATAGRAMS;
  const expect = new Expectations();
  expect.ended("udp_source", client);
  expect.equal("datagrams sent", figure(client, "sent"), DATAGRAMS);
  expect.equal("duplicates", figure(server, "duplicates"), 0);
  if (Math.abs(share - LOSS) > LOSS_TOLERANCE) {
    expect.problems.push(`share of datagrams lost: ${share.toFixed(4)}, expected ${LOSS} within ${LOSS_TOLERANCE}`);
  }
  // ARP and the end markers pass the link as well, and may be lost too.
  expect.atLeast("frames lost by the link", lost, Math.floor((DATAGRAMS - received) * 0.9));
  return {
    problems: expect.problems,
    figures: figures({
      datagrams_sent: DATAGRAMS,
      datagrams_received: received,
      loss_percent: Number((share * 100).toFixed(3)),
      lost_by_link: lost,
      lost_counted: figure(server, "lost"),
    }),
  };
}

async function delay(context: CaseContext): Promise<Outcome> {
  const { from, to, wait } = context;
  // The fastest of many: the others tell how long a machine waited for a processor, too.
  const roundTrip = async (): Promise<number> => {
    const count = ["-n", String(ECHOES)];
    const { client } = await exchange(
      wait,
      {
        machine: to,
        application: "udp_sink",
        options: ["-l", PORT, ...count, "-t", String(IDLE_S), "--echo"],
        endsItself: true,
      },
      {
        machine: from,
        application: "udp_source",
        options: ["-a", to.address, "-p", PORT, ...count, "-r", String(ECHO_PPS), "-s", "64", "--echo"],
      },
    );
    const rtt = client.figures?.rtt_us as Record<string, unknown> | undefined;
    return typeof rtt?.min === "number" ? rtt.min : Number.NaN;
  };
  const plain = await roundTrip();
  await using _impaired = await impaired(context, { ...NONE, delayUs: DELAY_US });
  const delayed = await roundTrip();
  const added = delayed - plain;
  const expected = 2 * DELAY_US;
  const right = Math.abs(added - expected) <= expected * TOLERANCE;
  return {
    problems: right ? [] : [`added to the round trip: ${added} us, expected ${expected} us within 10 %`],
    figures: figures({ rtt_min_us: delayed, plain_rtt_min_us: plain, added_us: added }),
  };
}
