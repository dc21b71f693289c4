/**
 * A link that is impaired while the lab runs: 1 % loss, 10 ms delay, 1 ms jitter, measured over 200,000 datagrams and
 * their echoes: the loss by what the programs count, the delay of every frame by captures at both ends of the link. And
 * a TCP transfer across it that arrives as it was sent. Before that, what the switch costs while nobody sends.
 */
import { once } from "node:events";
import { createWriteStream, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { eachTestLeavesNothing, FOR_PROCESSES, FOR_VMS } from "../../support/lab-hooks.js";
import { type Delays, delaysOnLink, mean, quantile } from "../../support/link-delay.js";
import { failures, parseReport } from "../../support/report.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const TSHARK = "/usr/bin/tshark";
const DATAGRAMS = 200_000;
const LOSS = 0.01;
const DELAY_US = 10_000;
/** Of 200,000 at 1 %, 0.1 points are 4.5 standard deviations; the seed makes it the same every time. */
const LOSS_WITHIN = 0.001;
const JITTER_US = 1000;
const DELAY_WITHIN = 0.05 * DELAY_US;
/** Of the mean, without what the switch says that it was late because it waited for a processor. */
const EXACTLY = 0.01 * DELAY_US;
/** How long an idle switch is watched, and how much of a core it may use then. */
const IDLE_S = 20;
const IDLE_SHARE = 0.15;
const IMPAIRED = ["--delay", "10ms", "--jitter", "1ms", "--loss", "1%", "--seed", "7"];

interface Port {
  readonly name: string;
  readonly linkUp: boolean;
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
}

interface Inspected {
  readonly switch: { readonly pid: number };
  readonly machines: readonly {
    readonly name: string;
    readonly nics: readonly { readonly address: string; readonly port: Port | null }[];
  }[];
}

interface Impairment {
  readonly impair?: { readonly delayUs: number; readonly loss: number };
  readonly ports: readonly {
    readonly port: string;
    readonly lost: number;
    readonly limited: number;
    readonly lateUs: number;
    readonly latestUs: number;
  }[];
}

interface Source {
  readonly sent: number;
  readonly echoed: number;
  readonly rtt_us: { readonly min: number; readonly p50: number; readonly p99: number };
}

interface Lab {
  readonly name: string;
  readonly machines: readonly [from: string, to: string];
  /** Slow enough for the machines not to drop frames by themselves. */
  readonly pps: number;
  readonly bytes: string;
  /** The switch gets a processor when it needs one: its machines do not send so much that it is always at work. */
  readonly punctual: boolean;
  /** Options for `up`. */
  readonly options: readonly string[];
  readonly needs: readonly string[];
  /** Where a machine has its programs and its stack's configuration. */
  place(vnflab: Vnflab, machine: string): { readonly bin: string; readonly conf: string };
}

const LABS: readonly Lab[] = [
  {
    name: "two-processes",
    machines: ["left", "right"],
    pps: 10_000,
    punctual: false,
    bytes: "4m",
    // Both share a core: one that polls without rest would hold the other's answer up for a time slice.
    options: ["--set", "defaults.stack.config.idle=sleep"],
    needs: FOR_PROCESSES,
    place: (vnflab, machine) => ({
      bin: join(REPOSITORY, "build/c/stack/apps"),
      conf: join(vnflab.state, "labs/two-processes", machine, "work/stack.conf"),
    }),
  },
  {
    name: "two-vms",
    machines: ["vm1", "vm2"],
    pps: 2000,
    punctual: true,
    bytes: "2m",
    options: [],
    needs: FOR_VMS,
    place: () => ({ bin: "/opt/vnflab/bin", conf: "/run/vnflab/stack.conf" }),
  },
];

/** Processor time that a process has used, in seconds. */
function processorSeconds(pid: number): number {
  const afterName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(afterName[11]) + Number(afterName[12])) / 100;
}

/** The share of the frames that stayed no longer than the jitter allows. */
function within({ us }: Delays): number {
  return us.filter((one) => one <= DELAY_US + JITTER_US).length / us.length;
}

function described(way: Delays): string {
  const shares = [0, 0.25, 0.5, 0.75, 0.99, 1].map((share) => quantile(way, share).toFixed(0));
  const inTime = (within(way) * 100).toFixed(1);
  return `${way.us.length} frames delayed ${mean(way).toFixed(0)} us on average; least, quartiles, 99 %, most ${shares.join(" ")} us; ${inTime} % within the jitter`;
}

function late({ lateUs, latestUs }: Impairment["ports"][number]): string {
  return `${lateUs.toFixed(0)} us (at most ${latestUs.toFixed(0)} us)`;
}

/** Median and quartiles of a uniform distribution within the jitter. */
function expectUniform(way: Delays): void {
  for (const share of [0.25, 0.5, 0.75]) {
    const expected = DELAY_US + (2 * share - 1) * JITTER_US;
    expect(Math.abs(quantile(way, share) - expected), `quantile ${share}`).toBeLessThan(DELAY_WITHIN);
  }
}

describe.each(LABS)("an impaired link of $name", (lab) => {
  const reason = missing(lab.needs) ?? (existsSync(TSHARK) ? undefined : `needs ${TSHARK}`);
  const [from, to] = lab.machines;
  const vnflab = new Vnflab();
  eachTestLeavesNothing(vnflab);

  const nic = async (machine: string) => {
    const { machines } = await vnflab.json<Inspected>("inspect", lab.name);
    const [found] = machines.find(({ name }) => name === machine)?.nics ?? [];
    if (!found?.port) throw new Error(`no port of ${machine}`);
    return { address: found.address.split("/")[0] ?? "", port: found.port };
  };
  const port = async (machine: string) => (await nic(machine)).port;
  /** Of a core, that the switch uses while nobody sends. */
  const idleShare = async () => {
    const { pid } = (await vnflab.json<Inspected>("inspect", lab.name)).switch;
    const before = processorSeconds(pid);
    await new Promise((resolve) => setTimeout(resolve, IDLE_S * 1000));
    return (processorSeconds(pid) - before) / IDLE_S;
  };
  const impairment = () => vnflab.json<Impairment>("impair", lab.name, "lan");

  /** Begins a capture of a machine; it runs when its first bytes are there. */
  const capture = async (machine: string) => {
    const file = join(vnflab.folder, `${machine}.pcapng`);
    const running = vnflab.start(["capture", lab.name, machine]);
    const written = pipeline(running.stdout, createWriteStream(file));
    await once(running.stdout, "data");
    return async () => {
      process.kill(running.pid as number, "SIGINT");
      const { exitCode, stderr } = await running;
      await written;
      expect(exitCode, stderr).toBe(0);
      expect(stderr).not.toContain("more were lost");
      return file;
    };
  };

  /** Captures both machines meanwhile; then how long each datagram was on the link, for each way. */
  const whileCaptured = async <T>(during: () => Promise<T>): Promise<{ result: T; ways: Delays[] }> => {
    const captures = [await capture(from), await capture(to)];
    const result = await during();
    const files = await Promise.all(captures.map((stop) => stop()));
    return { result, ways: await delaysOnLink(files) };
  };

  const app = async (machine: string, program: string, ...options: string[]) => {
    const { bin, conf } = lab.place(vnflab, machine);
    const run = await vnflab.must(
      "exec",
      lab.name,
      machine,
      "--",
      join(bin, program),
      "-f",
      conf,
      "--json",
      ...options,
    );
    const lines = run.stdout.trim().split("\n");
    return JSON.parse(lines.findLast((line) => line.includes('"result"')) ?? "{}") as Record<string, unknown>;
  };

  /** Datagrams from one to the other and back, each at the same distance from the one before. */
  const echo = async (datagrams: number) => {
    const { address } = await nic(to);
    const sink = app(to, "udp_sink", "-l", "9999", "-t", "10", "--echo");
    await expect.poll(async () => (await port(to)).linkUp, { timeout: 60_000 }).toBe(true);
    const args = ["-a", address, "-p", "9999", "-n", String(datagrams), "-r", String(lab.pps), "-s", "100", "--echo"];
    const source = (await app(from, "udp_source", ...args)) as unknown as Source;
    return { source, received: Number((await sink).received) };
  };

  it.skipIf(reason)(
    `loses and delays what it should, and TCP arrives whole${reason ? ` (${reason})` : ""}`,
    async () => {
      await vnflab.must("up", `lab/examples/${lab.name}/lab.yaml`, ...lab.options);
      const idle = await idleShare();
      console.log(`${lab.name}: the idle switch uses ${(idle * 100).toFixed(1)} % of a core`);
      expect(idle).toBeLessThan(IDLE_SHARE);

      const plain = await echo(5000);
      expect((await impairment()).impair).toBeUndefined();

      await vnflab.must("impair", lab.name, "lan", ...IMPAIRED);
      const before = { to: await port(to), from: await port(from), lost: await impairment() };
      const { result, ways } = await whileCaptured(() => echo(DATAGRAMS));
      const { source, received } = result;
      const after = { to: await port(to), from: await port(from), lost: await impairment() };
      const droppedThere = after.to.dropped - before.to.dropped;
      const droppedBack = after.from.dropped - before.from.dropped;
      const lossThere = 1 - (received + droppedThere) / source.sent;
      const lossBack = 1 - (source.echoed + droppedBack) / received;
      console.log(
        `${lab.name}: sent ${source.sent}, received ${received}, echoed ${source.echoed}, not taken by the machines ` +
          `${droppedThere} + ${droppedBack}; loss ${(lossThere * 100).toFixed(3)} % and ${(lossBack * 100).toFixed(3)} %, ` +
          `round trip ${plain.source.rtt_us.p50} us without, ${source.rtt_us.p50} us with, at least ${source.rtt_us.min} us`,
      );
      expect(source.sent).toBe(DATAGRAMS);
      expect(Math.abs(lossThere - LOSS)).toBeLessThan(LOSS_WITHIN);
      expect(Math.abs(lossBack - LOSS)).toBeLessThan(LOSS_WITHIN);
      expect(source.rtt_us.min).toBeGreaterThanOrEqual(2 * (DELAY_US - JITTER_US));
      expect(ways).toHaveLength(2);
      // The switch's own account: nothing was dropped there but by chance, and how late it was.
      const { ports } = after.lost;
      console.log(`${lab.name}: later than due ${ports.map(late).join(", ")}`);
      expect(ports.map(({ limited }) => limited)).toEqual([0, 0]);
      for (const way of ways) {
        console.log(`${lab.name}: from ${way.port}: ${described(way)}`);
        const { lateUs = 0, latestUs = 0 } = ports.find(({ port }) => port === way.port) ?? {};
        expect(latestUs).toBeGreaterThanOrEqual(lateUs);
        expect(way.us.length + way.lost).toBeGreaterThan(DATAGRAMS * (1 - LOSS - LOSS_WITHIN) ** 2);
        expect(Math.abs(mean(way) - lateUs - DELAY_US)).toBeLessThan(EXACTLY);
        // Never sooner than the jitter allows; a microsecond for the clock being read twice.
        expect(way.us[0]).toBeGreaterThanOrEqual(DELAY_US - JITTER_US - 1);
        if (lab.punctual) expectUniform(way);
      }

      const test = await vnflab.command("test", lab.name, "--only", "tcp.bulk", "--bytes", lab.bytes, "--json");
      expect(failures(parseReport(test.stdout || "{}")), test.stderr).toEqual([]);
      expect(test.exitCode).toBe(0);
      const [bulk] = parseReport(test.stdout).cases;
      expect(bulk?.figures).toMatchObject({ verified: true });
      expect(bulk?.figures?.sha256).toMatch(/^[0-9a-f]{64}$/);

      await vnflab.must("impair", lab.name, "lan", "--clear");
      const again = await echo(5000);
      expect(again.source.rtt_us.p50).toBeLessThan(DELAY_US);
      await vnflab.must("down", lab.name);
    },
    600_000,
  );
});
