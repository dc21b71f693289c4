/** The contract of machine drivers, for those that need neither image nor hypervisor. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fakeHost } from "../host/fake-host.js";
import { realHost } from "../host/real-host.js";
import { FakeMachineDriver } from "./fake/fake-machine-driver.js";
import { CONTRACT_SCRIPTS, type MachineUnderTest, machineContract } from "./machine-contract.js";
import type { ProcessSpec } from "./machine-driver.js";
import { processMachines } from "./process/process-machine-driver.js";

function specIn(dir: string): ProcessSpec {
  const deadlinesMs = { running: 1000, console: 1000, agent: 1000, init: 1000, nic: 1000 };
  const folders = { stateDir: dir, runDir: join(dir, "run"), binDir: dir, workDir: join(dir, "work") };
  return { kind: "process", lab: "t", machine: "a", ...folders, consoleLog: join(dir, "log"), deadlinesMs, env: {} };
}

machineContract("fake", async (): Promise<MachineUnderTest> => {
  const host = fakeHost();
  host.exec.install("sh", async ({ argv, env, input, print, signalled }) => {
    const script = argv[2];
    if (script === CONTRACT_SCRIPTS.both) {
      print("stdout", "out\n");
      print("stderr", "err\n");
      return 7;
    }
    if (script === CONTRACT_SCRIPTS.echoInput) print("stdout", new TextDecoder().decode(input as Uint8Array));
    if (script === CONTRACT_SCRIPTS.environment) print("stdout", `${env.VNF_TEST}\n`);
    if (script === CONTRACT_SCRIPTS.server) {
      print("stdout", "listening\n");
      await new Promise((resolve) => signalled.addEventListener("abort", resolve));
      print("stdout", "bye\n");
    }
    return 0;
  });
  return { driver: new FakeMachineDriver(host), spec: specIn("/t"), async [Symbol.asyncDispose]() {} };
});

machineContract("process", async (): Promise<MachineUnderTest> => {
  const dir = await mkdtemp(join(tmpdir(), "vnflab-contract-"));
  return {
    driver: processMachines(realHost()),
    spec: specIn(dir),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
});
