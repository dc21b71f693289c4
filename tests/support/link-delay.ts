/** How long each datagram of udp_source was on a link: when the switch took it from a machine, and gave it to the next. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What a datagram that counts begins with: udp_source's magic and kind 1. Its number follows, little-endian. */
const DATA = "564c0100";
const FIELDS = ["frame.time_epoch", "frame.interface_name", "frame.packet_flags_direction", "eth.src", "udp.payload"];

/** Delays in microseconds, of one way, ascending. */
export interface Delays {
  /** The switch's port by which they came. */
  readonly port: string;
  readonly us: Float64Array;
  /** Datagrams that came but never left. */
  readonly lost: number;
}

interface Way {
  port: string;
  /** When each datagram came (nanoseconds) and left, by its number. */
  readonly came: Map<number, bigint>;
  readonly left: Map<number, bigint>;
}

/** `files`: captures of both machines, in both directions. Throws, with tshark's words, when one cannot be read. */
export async function delaysOnLink(files: readonly string[]): Promise<Delays[]> {
  const ways = new Map<string, Way>();
  for (const file of files) {
    for await (const line of linesOf(file)) {
      const [time = "", port = "", direction, source = "", payload = ""] = line.split("\t");
      if (!payload.startsWith(DATA)) continue;
      const way = ways.get(source) ?? { port: "", came: new Map(), left: new Map() };
      ways.set(source, way);
      const number = Buffer.from(payload.slice(8, 16), "hex").readUInt32LE();
      // 1 is from the machine into the switch. Times are nanoseconds with a point in between.
      const intoTheSwitch = Number(direction) === 1;
      (intoTheSwitch ? way.came : way.left).set(number, BigInt(time.replace(".", "")));
      if (intoTheSwitch) way.port = port;
    }
  }
  return [...ways.values()].map(({ port, came, left }) => {
    const delays = [...came].flatMap(([number, at]) => {
      const then = left.get(number);
      return then === undefined ? [] : [Number(then - at) / 1000];
    });
    return { port, us: Float64Array.from(delays).sort(), lost: came.size - delays.length };
  });
}

/** Line by line, as a capture of a minute does not fit into a string. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const fields = FIELDS.flatMap((name) => ["-e", name]);
  // -n: no names are looked up. Other protocols than these are not looked for in the datagrams.
  const options = ["-n", "-Y", "udp", "-T", "fields", ...fields];
  const tshark = spawn("tshark", ["-r", file, ...options], { stdio: ["ignore", "pipe", "pipe"] });
  let complaints = "";
  tshark.stderr.on("data", (chunk) => {
    complaints += chunk;
  });
  const ended = new Promise<number | null>((resolve) => tshark.once("close", resolve));
  yield* createInterface({ input: tshark.stdout });
  const code = await ended;
  if (code !== 0) throw new Error(`tshark -r ${file}: ${code} ${complaints}`);
}

/** The value below which this share of them is. */
export function quantile({ us }: Delays, share: number): number {
  return us[Math.min(us.length - 1, Math.floor(us.length * share))] ?? Number.NaN;
}

export function mean({ us }: Delays): number {
  return us.reduce((sum, one) => sum + one, 0) / us.length;
}
