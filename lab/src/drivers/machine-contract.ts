/**
 * What every machine driver promises, as one suite of tests: the fake, processes and virtual machines all pass it, so
 * that what is above the drivers need not know which one it has.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RealClock } from "../host/real-clock.js";
import { type Probed, waitFor } from "../host/wait.js";
import { VnflabError } from "../model/error.js";
import type { MachineDriver, MachineSpec, RungStatus } from "./machine-driver.js";

export interface MachineUnderTest extends AsyncDisposable {
  readonly driver: MachineDriver;
  readonly spec: MachineSpec;
}

/** The commands that the suite runs; a fake must know them by heart. */
export const CONTRACT_SCRIPTS = {
  both: "echo out; echo err >&2; exit 7",
  echoInput: "cat",
  environment: 'echo "$VNF_TEST"',
  /** Says that it listens, then runs until it gets SIGTERM, and says goodbye. */
  server: 'trap "echo bye; exit 0" TERM; echo listening; while :; do sleep 0.05; done',
} as const;

const READY_MS = 120_000;
const signal = new AbortController().signal;

/** Waits for every rung of the ladder, with the deadlines of the spec. */
export async function climb({ driver, spec }: Pick<MachineUnderTest, "driver" | "spec">): Promise<void> {
  for (const rung of driver.rungs(spec)) {
    const onDeadline = (lastSeen: string) => new VnflabError("VNF_NOT_READY", `${rung.name}: ${lastSeen}`);
    const probe = async (): Promise<Probed<RungStatus>> => {
      const status = await rung.probe(signal);
      return status.reached ? { reached: true, value: status } : status;
    };
    await waitFor(new RealClock(), probe, { deadlineMs: rung.deadlineMs, signal, onDeadline });
  }
}

export function machineContract(name: string, make: () => Promise<MachineUnderTest>): void {
  describe(`machine driver: ${name}`, () => {
    let machine: MachineUnderTest;
    const shell = (script: string) => ["sh", "-c", script];
    const run = async (script: string, more: { input?: Uint8Array; env?: Record<string, string> } = {}) =>
      (await machine.driver.exec(machine.spec, { argv: shell(script), ...more })).wait();

    beforeAll(async () => {
      machine = await make();
    }, READY_MS);

    afterAll(async () => {
      await machine?.[Symbol.asyncDispose]();
    }, READY_MS);

    it("knows nothing of a machine that was never started, and stops it without complaint", async () => {
      expect((await machine.driver.observe(machine.spec)).status).toBe("absent");
      await machine.driver.stop(machine.spec);
    });

    it(
      "starts, and reaches every rung of its ladder",
      async () => {
        await machine.driver.start(machine.spec, signal);
        await climb(machine);
        expect((await machine.driver.observe(machine.spec)).status).toBe("running");
      },
      READY_MS,
    );

    it("gives the exit code, and standard output and error apart", async () => {
      expect(await run(CONTRACT_SCRIPTS.both)).toEqual({ stdout: "out\n", stderr: "err\n", exitCode: 7 });
    });

    it("hands input and environment to a command", async () => {
      const input = new TextEncoder().encode("a line\nanother\n");
      expect((await run(CONTRACT_SCRIPTS.echoInput, { input })).stdout).toBe("a line\nanother\n");
      const env = { VNF_TEST: "with 'quotes' and $signs" };
      expect((await run(CONTRACT_SCRIPTS.environment, { env })).stdout).toBe(`${env.VNF_TEST}\n`);
    });

    it("shows output while a command runs, and ends it by a signal", { timeout: 30_000 }, async () => {
      let seen = "";
      const argv = shell(CONTRACT_SCRIPTS.server);
      const onOutput = (_stream: string, chunk: string) => {
        seen += chunk;
      };
      const server = await machine.driver.exec(machine.spec, { argv, onOutput });
      await expect.poll(() => seen, { timeout: 20_000 }).toContain("listening\n");
      await server.signal("SIGTERM");
      expect(await server.wait()).toEqual({ stdout: "listening\nbye\n", stderr: "", exitCode: 0 });
      expect(seen).toBe("listening\nbye\n");
    });

    it("carries files both ways, byte for byte", { timeout: 30_000 }, async () => {
      const content = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 251);
      const path = `${machine.spec.workDir}/contract.bin`;
      await machine.driver.putFile(machine.spec, path, content);
      expect(Buffer.compare(await machine.driver.getFile(machine.spec, path), content)).toBe(0);
    });

    it("names the file that is not there", async () => {
      const missing = machine.driver.getFile(machine.spec, `${machine.spec.workDir}/missing`);
      await expect(missing).rejects.toMatchObject({ code: "VNF_GUEST_COMMAND", message: /missing/ });
    });

    it("stops for good, and stops again without complaint", { timeout: 60_000 }, async () => {
      await machine.driver.stop(machine.spec);
      await machine.driver.stop(machine.spec);
      expect((await machine.driver.observe(machine.spec)).status).toBe("absent");
    });
  });
}
