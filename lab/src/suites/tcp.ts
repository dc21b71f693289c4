/** TCP across two machines: bulk with checksums both ways and from both kinds of opener, many connections, HTTP. */
import { checkLink } from "../engine/readiness.js";
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

const PORT = "9999";
const CLOSED_PORT = "9998";
const SEED = "1";
const CONNECTIONS = 8;
const HTTP_CONCURRENCY = 8;
const PAGE_BYTES = 1024;
/** A refusal comes at once; retransmitting SYNs to nobody takes much longer. */
const REFUSAL_MS = 30_000;

export const tcpSuite: readonly TestCase[] = [
  {
    id: "tcp.link",
    title: "the stack starts on both sides and the switch sees both links",
    essential: true,
    async run({ lab, from, to, wait }) {
      await Promise.all([from, to].map(({ name }) => checkLink(lab, name, wait.signal)));
      return { figures: { links: 2 }, problems: [] };
    },
  },
  {
    id: "tcp.bulk",
    title: "one connection, the opener sends",
    run: (context) => bulk(context, { connections: 1, bytes: context.amounts.bytes, senderOpens: true }),
  },
  {
    id: "tcp.bulk-reverse",
    title: "one connection, the side that accepted sends; a quarter of the amount",
    run: (context) =>
      bulk(context, { connections: 1, bytes: Math.ceil(context.amounts.bytes / 4), senderOpens: false }),
  },
  {
    id: "tcp.connections",
    title: `${CONNECTIONS} connections at once, a quarter of the amount in all`,
    run: (context) =>
      bulk(context, {
        connections: CONNECTIONS,
        bytes: Math.ceil(context.amounts.bytes / CONNECTIONS / 4),
        senderOpens: true,
      }),
  },
  { id: "tcp.http", title: "HTTP requests, a connection each", run: http },
  { id: "tcp.refused", title: "a port on which nobody listens is refused at once", run: refused },
];

interface Bulk {
  readonly connections: number;
  /** Of each connection. */
  readonly bytes: number;
  readonly senderOpens: boolean;
}

async function bulk({ from, to, wait }: CaseContext, { connections, bytes, senderOpens }: Bulk): Promise<Outcome> {
  const [sender, receiver] = senderOpens ? [from, to] : [to, from];
  const listen = ["-l", PORT];
  const connect = ["-a", to.address, "-p", PORT];
  const send = ["-b", String(bytes), "-c", String(connections), "-s", SEED];
  const receive = ["-n", String(connections), "-s", SEED];
  const source = {
    machine: sender,
    application: "tcp_source",
    options: [...(senderOpens ? connect : listen), ...send],
  };
  const sink = {
    machine: receiver,
    application: "tcp_sink",
    options: [...(senderOpens ? listen : connect), ...receive],
  };
  const [server, client] = senderOpens ? [sink, source] : [source, sink];
  const results = await exchange(wait, { ...server, endsItself: true }, client);
  const [sent, received] = senderOpens ? [results.client, results.server] : [results.server, results.client];

  const expect = new Expectations();
  const seen = judgeTransfer(expect, { sent, received, bytes: bytes * connections, connections });
  return { problems: expect.problems, figures: { connections, ...seen } };
}

async function http({ from, to, amounts, wait }: CaseContext): Promise<Outcome> {
  const folder = `${to.spec.workDir}/www`;
  await to.run(["mkdir", "-p", folder]);
  await to.putFile(`${folder}/page`, new TextEncoder().encode("vnflab\n".repeat(PAGE_BYTES).slice(0, PAGE_BYTES)));
  const concurrency = Math.min(HTTP_CONCURRENCY, amounts.requests);
  const { server, client } = await exchange(
    wait,
    { machine: to, application: "epserver", options: ["-p", folder], endsItself: false },
    {
      machine: from,
      application: "epwget",
      options: [`${to.address}/page`, String(amounts.requests), "-c", String(concurrency)],
    },
  );
  const expect = new Expectations();
  expect.ended("epwget", client);
  expect.ended("epserver", server);
  expect.equal("requests completed", figure(client, "completed"), amounts.requests);
  expect.equal("errors", figure(client, "errors"), 0);
  expect.equal("timeouts", figure(client, "timeouts"), 0);
  expect.atLeast("bytes received", figure(client, "bytes"), amounts.requests * PAGE_BYTES);
  const latency = client.figures?.latency_us as Record<string, unknown> | undefined;
  return {
    problems: expect.problems,
    figures: figures({
      requests_sent: amounts.requests,
      requests_completed: figure(client, "completed"),
      bytes_received: figure(client, "bytes"),
      rps: figure(client, "rps"),
      latency_p50_us: latency?.p50,
      latency_p99_us: latency?.p99,
    }),
  };
}

async function refused({ lab, from, to, wait }: CaseContext): Promise<Outcome> {
  const { clock } = lab.context.host;
  // Something must run there, or there is no stack to refuse.
  await using sink = await to.start("tcp_sink", ["-l", PORT]);
  await sink.listening(wait);
  const started = clock.now();
  await using source = await from.start("tcp_source", ["-a", to.address, "-p", CLOSED_PORT, "-b", "1"]);
  const result = await source.result({ ...wait, deadlineMs: Math.min(wait.deadlineMs, REFUSAL_MS) });
  const expect = new Expectations();
  expect.ended("tcp_source", result, 1);
  expect.equal("bytes received", figure(result, "bytes") || 0, 0);
  return { problems: expect.problems, figures: { seconds_to_refusal: (clock.now() - started) / 1000 } };
}
