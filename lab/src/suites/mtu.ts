/** The largest datagram that fits a frame, and what is one byte too long: our stack sends no fragments. */
import { type CaseContext, Expectations, exchange, figure, figures, type Outcome, type TestCase } from "./case.js";

const PORT = "9996";
/** Of 1500 bytes 20 are the IPv4 header and 8 the UDP header. */
const LARGEST = 1472;
const COUNT = 200;
const PPS = 500;
const IDLE_S = 5;
/** An emulated machine that rests for a moment may miss some. */
const ARRIVING = 0.95;

export const mtuSuite: readonly TestCase[] = [
  { id: "mtu.largest", title: `datagrams of ${LARGEST} bytes fit one frame and arrive whole`, run: largest },
  {
    id: "mtu.too-long",
    title: "one byte more is refused by our stack with EMSGSIZE; the kernel sends it in fragments",
    once: true,
    run: tooLong,
  },
];

/** Datagrams of one size from one machine to the other, and how many arrived. */
export async function sendDatagrams(
  { from, to, wait }: Pick<CaseContext, "from" | "to" | "wait">,
  { size, count, pps, kernelSends = false }: { size: number; count: number; pps: number; kernelSends?: boolean },
) {
  const expected = ["-l", PORT, "-n", String(count), "-t", String(IDLE_S)];
  const options = ["-a", to.address, "-p", PORT, "-n", String(count), "-s", String(size), "-r", String(pps)];
  return exchange(
    wait,
    { machine: to, application: "udp_sink", options: expected, endsItself: true },
    { machine: from, application: kernelSends ? "udp_source-kernel" : "udp_source", options },
  );
}

async function largest(context: CaseContext): Promise<Outcome> {
  const { server, client } = await sendDatagrams(context, { size: LARGEST, count: COUNT, pps: PPS });
  const received = figure(server, "received");
  const expect = new Expectations();
  expect.ended("udp_source", client);
  expect.equal("datagrams sent", figure(client, "sent"), COUNT);
  expect.atLeast("datagrams received", received, Math.floor(COUNT * ARRIVING));
  expect.equal("corrupt datagrams", figure(server, "corrupt"), 0);
  expect.equal("bytes received", figure(server, "bytes"), received * LARGEST);
  return {
    problems: expect.problems,
    figures: figures({
      size: LARGEST,
      datagrams_sent: COUNT,
      datagrams_received: received,
      verified: figure(server, "corrupt") === 0,
    }),
  };
}

async function tooLong(context: CaseContext): Promise<Outcome> {
  const { from } = context;
  const size = LARGEST + 1;
  const { server, client } = await sendDatagrams(context, { size, count: 1, pps: 1 });
  const expect = new Expectations();
  const fragments = from.allocated.stack.kind === "kernel";
  if (fragments) {
    expect.ended("udp_source", client);
    expect.equal("datagrams received", figure(server, "received"), 1);
  } else {
    expect.ended("udp_source", client, 1);
    expect.equal("datagrams received", figure(server, "received"), 0);
    expect.equal("refused as too long", /message too long/i.test(client.said.join("\n")), true);
  }
  return { problems: expect.problems, figures: figures({ size, refused: !fragments }) };
}
