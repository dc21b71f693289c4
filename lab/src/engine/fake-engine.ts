/** An engine over a fake host and fake drivers, for tests of the engine and of what is above it. */
import { FakeMachineDriver } from "../drivers/fake/fake-machine-driver.js";
import { FakeSwitchDriver } from "../drivers/fake/fake-switch-driver.js";
import { type FakeHost, fakeHost } from "../host/fake-host.js";
import { resolveLayout } from "../host/layout.js";
import type { EngineContext } from "./context.js";
import type { Emit, LabEvent } from "./events.js";

export interface FakeEngine {
  readonly host: FakeHost;
  readonly machines: FakeMachineDriver;
  readonly sw: FakeSwitchDriver;
  readonly events: LabEvent[];
  readonly context: EngineContext;
  /** The same engine with another listener. */
  listening(emit: Emit): EngineContext & AsyncDisposable;
  /** Writes a lab file with these machines, given as YAML. */
  writeLab(machines: string, file?: string): Promise<void>;
  /** Files and sockets that a lab may have left; logs of failures and results are meant to stay. */
  left(): string[];
}

export const LAB_FILE = "/labs/lab.yaml";

export async function fakeEngine(): Promise<FakeEngine> {
  const host = fakeHost();
  const machines = new FakeMachineDriver(host);
  const sw = new FakeSwitchDriver(host, machines.calls);
  const events: LabEvent[] = [];
  const labHost = { ...host, async prepare() {}, async release() {}, async connected() {} };
  const context: EngineContext = {
    host,
    layout: await resolveLayout(host),
    hostAt: async () => host,
    hostOf: () => labHost,
    switchDriver: () => sw,
    machineDriver: () => machines,
    accelerator: async () => ({ accelerator: "tcg", reason: "a test" }),
    facts: async () => ({ cores: [0, 1, 2, 3], availableMemoryMib: 8000 }),
    guard: async (argv) => {
      machines.calls.push(`guard ${argv.slice(1).join(" ")}`);
      return { [Symbol.asyncDispose]: async () => void machines.calls.push("dismiss") };
    },
    emit: (event) => events.push(event),
  };
  installSink(host);
  const writeLab = (list: string, file = LAB_FILE) => host.files.write(file, `name: pair\nmachines: ${list}`);
  await writeLab("{left: {kind: process}, right: {kind: process}}");
  return {
    ...{ host, machines, sw, events, context, writeLab },
    listening: (emit) => ({ ...context, emit, async [Symbol.asyncDispose]() {} }),
    left: () => host.files.paths().filter((path) => !/^\/labs\/|\/(failed|results)\//.test(path)),
  };
}

/** What the readiness ladder needs of tcp_sink: it listens until it is stopped. */
function installSink(host: FakeHost): void {
  host.exec.install("tcp_sink", async ({ print, signalled }) => {
    print("stdout", '{"event":"listening","app":"tcp_sink","port":7}\n');
    await new Promise((resolve) => signalled.addEventListener("abort", resolve));
    print("stdout", '{"event":"result","app":"tcp_sink"}\n');
    return 0;
  });
}
