/** The programs that measure, for tests over the fake engine: they listen, end when asked, and say figures. */
import type { FakeEngine } from "../../engine/fake-engine.js";

type Program = Parameters<FakeEngine["host"]["exec"]["install"]>[1];
type Process = Parameters<Program>[0];

export interface FakePrograms {
  /** `machine program options`, in order. */
  readonly calls: string[];
  /** Program -> its exit code, when it is not 0. */
  readonly exits: Record<string, number>;
  /** Machine -> its configuration file. */
  readonly confs: ReadonlyMap<string, string>;
  /** What the stack says instead of the truth. */
  lie?: (said: string) => string;
  /** Called when a client begins. */
  onClient?: (call: string) => void;
}

export function installFakePrograms(engine: FakeEngine): FakePrograms {
  const { exec } = engine.host;
  const confs = new Map<string, string>();
  const programs: FakePrograms = { calls: [], exits: {}, confs };
  watchConfigurations(engine, confs);
  const sayHow = (process: Process) => {
    const said = howItRuns(confs.get(process.env.VNFLAB_MACHINE ?? "") ?? "");
    process.print("stderr", programs.lie?.(said) ?? said);
  };
  const server = (name: string, figures: object) =>
    exec.install(name, async (process) => {
      programs.calls.push(callOf(process));
      sayHow(process);
      process.print("stdout", '{"event":"listening"}\n');
      await new Promise((done) => process.signalled.addEventListener("abort", done));
      result(process, figures);
      return programs.exits[name] ?? 0;
    });
  const client = (name: string, figures: object) =>
    exec.install(name, (process) => {
      programs.calls.push(callOf(process));
      programs.onClient?.(callOf(process));
      sayHow(process);
      result(process, figures);
      return programs.exits[name] ?? 0;
    });
  const latency = { p50: 20_000, p99: 90_000, p999: 200_000 };
  for (const side of ["", "-kernel"]) {
    server(`rpc_server${side}`, { requests: 1 });
    client(`rpc_client${side}`, { rps: 1000, latency_ns: latency });
  }
  server("udp_sink", { pps: 2000, gbps: 0.5 });
  client("udp_source", { sent: 1 });
  server("tcp_sink", { gbps: 3, gibps: 2.8 });
  client("tcp_source", { bytes: 1 });
  return programs;
}

function callOf({ env, argv }: Process): string {
  const name = (argv[0] ?? "").replace(/.*\//, "");
  return [env.VNFLAB_MACHINE, name, ...argv.slice(1)].join(" ");
}

function result({ print }: Process, figures: object): void {
  print("stdout", `${JSON.stringify({ event: "result", ...figures })}\n`);
}

function watchConfigurations({ machines }: FakeEngine, confs: Map<string, string>): void {
  const putFile = machines.putFile.bind(machines);
  machines.putFile = async (spec, path, content) => {
    if (path.endsWith("/stack.conf")) confs.set(spec.machine, new TextDecoder().decode(content as Uint8Array));
    return putFile(spec, path, content);
  };
}

/** As the stack tells it when it begins. */
function howItRuns(conf: string): string {
  const key = (name: string) => new RegExp(`^${name} = (.*)$`, "m").exec(conf)?.[1] ?? "";
  const dedicated = { "1kb": 1, "2kb": 2 }[key("distribution")] ?? 0;
  const workers = Number(key("num_cores")) - dedicated;
  const offload = { auto: "checksums and segmentation", csum: "checksums" }[key("offload")] ?? "none";
  return [
    `dpdk: port 0 (net_virtio), ${key("queues")} queue(s), 1 packet buffers, offloads: ${offload}, link up`,
    `distribution ${key("distribution")}: ${workers} worker(s), ${dedicated} thread(s) besides, ${key("queues")} queue(s) of x (test)\n`,
  ].join("\n");
}
