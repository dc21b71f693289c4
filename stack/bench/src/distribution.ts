/**
 * What distribution costs: packets per second that one core hashes and hands to rings (bench_steer), and cycles per
 * frame of each design, from the threads' own counters (mtcpstat) while a server answers 64-byte requests.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, Program } from "./process.js";
import { field, type Result } from "./result.js";
import { rounded } from "./stats.js";

export const DESIGNS = ["direct", "shared", "1kb", "2kb"] as const;
export type Design = (typeof DESIGNS)[number];

/** Cores that each design is run with: two workers, or the one that needs no distribution. */
const CORES: Record<Design, number> = { direct: 1, shared: 2, "1kb": 3, "2kb": 4 };
const PHASES = ["receive", "steer", "protocol", "transmit", "application"] as const;
export type Phase = (typeof PHASES)[number];
export type Cycles = Record<Phase, number>;

export interface DesignCost {
  design: Design;
  threads: number;
  /** CPUs that these threads had. */
  cpus: number;
  requestsPerSecond: number;
  framesPerSecond: number;
  /** Cycles of all threads of a kind for a frame that came in, its answer included. */
  workers: Cycles;
  dedicated: Cycles;
  scaling: "measured" | "not measured: more threads than cores";
}

export interface Distribution {
  steer: unknown;
  designs: DesignCost[];
}

interface Thread {
  kind: string;
  counters: Readonly<Record<string, number>>;
}

const threadsOf = (stack: Result) => (Array.isArray(stack.threads) ? stack.threads : []) as Thread[];

/** Sum of a counter's growth over the threads of a kind. */
function growth(before: Result, after: Result, counter: string, ofKind: (kind: string) => boolean): number {
  const sum = (stack: Result) =>
    threadsOf(stack).reduce((total, { kind, counters }) => total + (ofKind(kind) ? (counters[counter] ?? 0) : 0), 0);
  return sum(after) - sum(before);
}

const isWorker = (kind: string) => kind === "worker";

/** Cycles per frame that the stack received, from two looks at it. */
export function cyclesPerFrame(before: Result, after: Result, ofKind: (kind: string) => boolean): Cycles {
  const frames = growth(before, after, "worker.rx_frames", isWorker);
  const of = (phase: Phase) => growth(before, after, `worker.cycles_${phase}`, ofKind) / frames;
  return Object.fromEntries(PHASES.map((phase) => [phase, rounded(of(phase), 4)])) as Cycles;
}

/** The lines of mtcpstat. */
export function stacksOf(stdout: string): Result[] {
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line) as Result).filter(({ event }) => event === "stack");
}

export interface Place {
  dir: string;
  build: string;
  hugepages: boolean;
  cpus: number;
}

const mask = (first: number, count: number) => `0x${(((1n << BigInt(count)) - 1n) << BigInt(first)).toString(16)}`;

/** The server has all CPUs but the last, which is the client's. */
function configure(design: Design, { dir, hugepages, cpus }: Place): { cpus: number; conf: (end: string) => string } {
  const socket = join(dir, "vhost.sock");
  const serverCpus = Math.max(1, cpus - 1);
  const common = `io = dpdk\nhugepages = ${hugepages ? "on" : "off"}\nmax_concurrency = 5000\n`;
  const idle = cpus > 1 && CORES[design] <= serverCpus ? "poll" : "yield";
  const conf = (end: string) => join(dir, `${end}.conf`);
  rmSync(socket, { force: true });
  writeFileSync(
    conf("server"),
    `${common}port = vdev:net_vhost0,iface=${socket},queues=1\naddress = 10.203.0.1/24\ndistribution = ${design}\n` +
      `core_mask = ${mask(0, serverCpus)}\nidle = ${idle}\n`,
  );
  writeFileSync(
    conf("client"),
    `${common}port = vdev:net_virtio_user0,path=${socket},queue_size=1024\naddress = 10.203.0.2/24\n` +
      `core_mask = ${mask(cpus > 1 ? cpus - 1 : 0, 1)}\nidle = ${cpus > 1 ? "poll" : "yield"}\n`,
  );
  return { cpus: serverCpus, conf };
}

async function measureDesign(design: Design, place: Place): Promise<DesignCost> {
  const { cpus, conf } = configure(design, place);
  const apps = join(place.build, "stack/apps");
  const threads = CORES[design];
  const server = new Program([join(apps, "rpc_server"), "-f", conf("server"), "-N", String(threads), "--json"]);
  await server.said('"event":"listening"', 20_000);
  const load = ["-a", "10.203.0.1", "-c", "100", "-w", "1", "-d", "3", "-f", conf("client"), "--json"];
  const client = new Program([join(apps, "rpc_client"), ...load]);
  const looks = new Program([join(apps, "mtcpstat"), "-p", String(server.pid), "-i", "1", "-n", "4", "--json"]);
  const stacks = stacksOf(await looks.output(20_000));
  const answered = await client.result(20_000);
  server.interrupt();
  await server.result(20_000);
  const [before, after] = [stacks.at(-2), stacks.at(-1)];
  if (before === undefined || after === undefined) throw new Error(`mtcpstat saw nothing of design ${design}`);
  return {
    design,
    threads,
    cpus,
    requestsPerSecond: rounded(field(answered, "rps")),
    framesPerSecond: rounded(growth(before, after, "worker.rx_frames", isWorker) / field(after, "seconds")),
    workers: cyclesPerFrame(before, after, isWorker),
    dedicated: cyclesPerFrame(before, after, (kind) => !isWorker(kind)),
    scaling: threads > cpus ? "not measured: more threads than cores" : "measured",
  };
}

export async function measureDistribution(place: Place, log: (line: string) => void): Promise<Distribution> {
  const program = join(place.build, "stack/bench/bench_steer");
  const steer = existsSync(program) ? (JSON.parse(must([program, "--json"])) as unknown) : null;
  const designs: DesignCost[] = [];
  for (const design of DESIGNS) {
    const cost = await measureDesign(design, place);
    designs.push(cost);
    log(`distribution: ${design} ${JSON.stringify(cost)}`);
  }
  return { steer, designs };
}

/** Lines for the terminal. */
export function distributionTable({ steer, designs }: Distribution): string {
  const rings = (Array.isArray(steer) ? steer : []) as { rings: number; mpps: number }[];
  const head = rings.map(({ rings: n, mpps }) => `${n} ring${n > 1 ? "s" : ""} ${mpps} Mpps`).join(", ");
  const cells = (cycles: Cycles) => PHASES.map((phase) => `${phase} ${Math.round(cycles[phase])}`).join(" ");
  const lines = designs.flatMap((cost) => [
    `${cost.design.padEnd(7)} ${cost.threads} thread(s) on ${cost.cpus} core(s): ${Math.round(cost.requestsPerSecond)} req/s` +
      (cost.scaling === "measured" ? "" : " (scaling is not measured)"),
    `        cycles a frame: workers ${cells(cost.workers)}`,
    ...(cost.threads > 1 && cost.dedicated.receive > 0 ? [`        dedicated threads ${cells(cost.dedicated)}`] : []),
  ]);
  return [`one core hashes and hands over: ${head || "not measured"}`, ...lines, ""].join("\n");
}
