/** One run of a workload between two machines: the server listens, the client asks, both say what they have counted. */
import type { Wait } from "../engine/application.js";
import type { LabMachine } from "../engine/lab.js";
import { Expectations } from "../suites/case.js";
import { type Program, programsOf, type Results, type Values, type WorkloadPlan } from "./workloads.js";

export interface Ends {
  readonly server: LabMachine;
  readonly client: LabMachine;
}

export interface Measured {
  /** Those figures that were said. */
  readonly values: Values;
  /** What was not as it should be; none: the values count. */
  readonly problems: readonly string[];
  readonly results: Results;
}

/** What else is done. */
export interface Aside {
  /** The server listens, the client is not there yet. */
  readonly before?: () => Promise<void>;
  /** Runs beside the client, which is stopped when this has seen enough; `over` aborts when the client has ended before. */
  readonly beside?: ((over: AbortSignal) => Promise<void>) | undefined;
}

/** Throws what keeps it from running to its end. */
export async function measure(
  plan: WorkloadPlan,
  ends: Ends,
  wait: Wait,
  { before, beside }: Aside = {},
): Promise<Measured> {
  const programs = programsOf(plan.workload);
  const start = (machine: LabMachine, { application, options }: Program) => machine.start(application, options);
  const { workDir } = ends.server.spec;
  if (programs.content) await ends.server.putFile(`${workDir}/${programs.content}`, contentToSend());
  await using server = await start(ends.server, programs.server(plan, workDir));
  await server.listening(wait);
  await before?.();
  await using client = await start(ends.client, programs.client(plan, ends.server.address));
  const over = new AbortController();
  const ended = client.result(wait).finally(() => over.abort());
  const [asked] = await Promise.all([ended, beside?.(over.signal).then(() => client.stop())]);
  const results = { client: asked, server: await server.stop() };
  const expect = new Expectations();
  expect.ended(client.title, results.client);
  expect.ended(server.title, results.server);
  const all = programs.values(results);
  const primary = all[programs.primary] ?? Number.NaN;
  if (expect.problems.length === 0 && !(primary > 0)) expect.problems.push(`${programs.primary}: ${primary}`);
  const values = Object.fromEntries(Object.entries(all).filter(([, value]) => Number.isFinite(value)));
  return { values, problems: expect.problems, results };
}

/** More than any cache of a core holds. Which bytes they are makes no difference: nothing looks at them. */
const CONTENT_BYTES = 4 * 1024 * 1024;

function contentToSend(): Uint8Array {
  return Uint8Array.from({ length: CONTENT_BYTES }, (_, at) => (at * 31) % 251);
}
