/**
 * Our stack against another one: the kernel of a virtual machine, which gets the card for as long as a case lasts.
 */
import { lendCardsToKernel } from "../engine/card.js";
import { type CaseContext, Expectations, figure, figures, judgeTransfer, type Outcome, type TestCase } from "./case.js";
import { sendDatagrams } from "./mtu.js";

const PORT = "9994";
const PINGS = 20;
/** Datagrams of each size. */
const FRAGMENTED = 20;

const needsKernel = ({ from, to }: CaseContext) => {
  if (to.spec.kind === "process") return `${to.name} is no virtual machine: it has no kernel of its own`;
  const other = [from, to].find(({ allocated }) => allocated.stack.kind === "kernel");
  return other && `the kernel is the stack of ${other.name} already`;
};

export const kernelSuite: readonly TestCase[] = [
  {
    id: "kernel.bulk",
    title: "our stack sends to the kernel of the other machine",
    once: true,
    notFor: needsKernel,
    run: (context) => bulk(context, true),
  },
  {
    id: "kernel.bulk-reverse",
    title: "the kernel of the other machine sends to our stack",
    once: true,
    notFor: needsKernel,
    run: (context) => bulk(context, false),
  },
  {
    id: "kernel.fragments",
    title: "our stack puts together what the kernel sends in fragments, from two to many",
    once: true,
    notFor: needsKernel,
    run: fragments,
  },
  {
    id: "kernel.ping",
    title: "our stack answers the kernel's ICMP echo requests",
    once: true,
    notFor: needsKernel,
    run: ping,
  },
];

async function bulk({ from, to, amounts, wait, random }: CaseContext, weSend: boolean): Promise<Outcome> {
  await using _card = await lendCardsToKernel([to]);
  const seed = String(random.whole(1, 1_000_000));
  const bytes = Math.ceil(amounts.bytes / 4);
  const send = ["-b", String(bytes), "-s", seed];
  await using serving = weSend
    ? await to.start("tcp_sink-kernel", ["-l", PORT, "-n", "1", "-s", seed])
    : await to.start("tcp_source-kernel", ["-l", PORT, "-c", "1", ...send]);
  await serving.listening(wait);
  const connect = ["-a", to.address, "-p", PORT];
  await using asking = weSend
    ? await from.start("tcp_source", [...connect, ...send])
    : await from.start("tcp_sink", [...connect, "-n", "1", "-s", seed]);
  const client = await asking.result(wait);
  const server = client.exitCode === 0 ? await serving.result(wait) : await serving.stop();
  const [sent, received] = weSend ? [client, server] : [server, client];
  const expect = new Expectations();
  const [source, sink] = weSend ? [asking.title, serving.title] : [serving.title, asking.title];
  const seen = judgeTransfer(expect, { sent, received, bytes, titles: { source, sink } });
  return { problems: expect.problems, figures: seen };
}

async function fragments({ from, to, wait, random }: CaseContext): Promise<Outcome> {
  await using _card = await lendCardsToKernel([to]);
  const expect = new Expectations();
  const sizes = [1473, random.whole(3000, 20_000), 65_507];
  let arrived = 0;
  for (const size of sizes) {
    const pair = { from: to, to: from, wait };
    const { server, client } = await sendDatagrams(pair, { size, count: FRAGMENTED, pps: 10, kernelSends: true });
    const received = figure(server, "received");
    expect.ended("udp_source-kernel", client);
    expect.atLeast(`datagrams of ${size} bytes received`, received, FRAGMENTED - 2);
    expect.equal(`corrupt datagrams of ${size} bytes`, figure(server, "corrupt"), 0);
    expect.equal("bytes received", figure(server, "bytes"), received * size);
    arrived += received;
  }
  const sent = sizes.length * FRAGMENTED;
  return {
    problems: expect.problems,
    figures: figures({ sizes: sizes.join(" "), datagrams_sent: sent, datagrams_received: arrived, verified: true }),
  };
}

async function ping({ from, to, wait }: CaseContext): Promise<Outcome> {
  await using _card = await lendCardsToKernel([to]);
  // A stack answers while an application runs on it.
  await using listening = await from.start("udp_sink", ["-l", PORT]);
  await listening.listening(wait);
  const argv = ["ping", "-c", String(PINGS), "-i", "0.2", "-W", "5", from.address];
  const { stdout, exitCode } = await to.run(argv);
  const answers = Number(/(\d+) (?:packets )?received/.exec(stdout)?.[1] ?? Number.NaN);
  const expect = new Expectations();
  expect.equal("exit code of ping", exitCode, 0);
  expect.equal("echo replies", answers, PINGS);
  const average = Number(/= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1] ?? Number.NaN);
  return { problems: expect.problems, figures: figures({ requests: PINGS, replies: answers, rtt_ms: average }) };
}
