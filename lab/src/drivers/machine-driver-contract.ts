/** What every machine driver must do: the same tests for the fake one and the real ones. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FakeHost } from "../host/fake-host.js";
import type { GuestCommand, MachineDriver, MachineSpec } from "./machine-driver.js";

export interface DriverWorld extends AsyncDisposable {
  readonly driver: MachineDriver;
  /** Not started; a machine in which `sh` is a program. */
  readonly spec: MachineSpec;
}

const NEVER = new AbortController().signal;

export function machineDriverContract(name: string, makeWorld: () => Promise<DriverWorld>, timeoutMs = 5000): void {
  describe(`machine driver: ${name}`, { timeout: timeoutMs }, () => {
    let world: DriverWorld;
    const shell = async (script: string, more: Partial<GuestCommand> = {}) => {
      const process = await world.driver.exec(world.spec, { argv: ["sh", "-c", script], ...more });
      return process.wait();
    };

    beforeAll(async () => {
      world = await makeWorld();
    }, timeoutMs);
    afterAll(() => world[Symbol.asyncDispose](), timeoutMs);

    it("stops what was never started without complaint", async () => {
      await world.driver.stop(world.spec);
      expect((await world.driver.observe(world.spec)).status).toBe("absent");
    });

    it("starts, and every rung of its ladder is reached", async () => {
      await world.driver.start(world.spec, NEVER);
      for (const rung of world.driver.rungs(world.spec)) {
        await expect
          .poll(() => rung.probe(NEVER), { timeout: rung.deadlineMs, interval: 100 })
          .toMatchObject({
            reached: true,
          });
      }
      expect((await world.driver.observe(world.spec)).status).toBe("running");
    });

    it("runs commands with their outputs apart, their exit code, environment and input", async () => {
      const result = await shell("cat; echo $COLOUR; echo oops >&2; exit 7", {
        env: { COLOUR: "green" },
        input: new TextEncoder().encode("from outside\n"),
      });
      expect(result).toEqual({ stdout: "from outside\ngreen\n", stderr: "oops\n", exitCode: 7 });
    });

    it("hands hostile arguments over as they are", async () => {
      const hostile = "a 'b' \"c\" $(d) `e` \\ ;|&\n\t*";
      const process = await world.driver.exec(world.spec, { argv: ["printf", "%s", hostile] });
      expect((await process.wait()).stdout).toBe(hostile);
    });

    it("reports output while the command runs, and ends it by signal", async () => {
      const { spoken, listen } = listener("ready");
      const process = await world.driver.exec(world.spec, {
        argv: ["sh", "-c", "echo ready; exec sleep 60"],
        onOutput: listen,
      });
      await spoken;
      await process.signal("SIGTERM");
      expect((await process.wait()).exitCode).toBe(143);
    });

    it("carries files in and out unchanged", async () => {
      const path = `${world.spec.workDir}/file`;
      const content = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256);
      await world.driver.putFile(world.spec, path, content);
      expect(Buffer.from(await world.driver.getFile(world.spec, path)).equals(Buffer.from(content))).toBe(true);
      await expect(world.driver.getFile(world.spec, `${path}-absent`)).rejects.toMatchObject({
        code: "VNF_GUEST_COMMAND",
      });
    });

    it("takes more standard input than an agent's command can carry", async () => {
      const input = new TextEncoder().encode("0123456789abcdef".repeat(16 * 1024));
      const process = await world.driver.exec(world.spec, { argv: ["wc", "-c"], input });
      expect((await process.wait()).stdout.trim()).toBe(String(input.length));
    });

    it("carries streams in and out, chunk by chunk", async () => {
      const path = `${world.spec.workDir}/stream`;
      async function* chunks() {
        for (let i = 0; i < 5; i++) yield new Uint8Array(100_000).fill(i);
      }
      await world.driver.putFile(world.spec, path, chunks());
      const read: Uint8Array[] = [];
      for await (const chunk of world.driver.readFile(world.spec, path)) read.push(chunk);
      const all = Buffer.concat(read);
      expect([all.length, all[99_999], all[100_000], all.at(-1)]).toEqual([500_000, 0, 1, 4]);
      const absent = world.driver.readFile(world.spec, `${path}-absent`)[Symbol.asyncIterator]();
      await expect(absent.next()).rejects.toMatchObject({ code: "VNF_GUEST_COMMAND" });
    });

    it("stands still when paused, twice, and goes on when resumed", async () => {
      const { driver, spec } = world;
      await driver.control.pause(spec);
      await driver.control.pause(spec);
      expect(await driver.observe(spec)).toMatchObject({ status: "running", paused: true });
      await expect(driver.exec(spec, { argv: ["printf", "%s", "x"] })).rejects.toMatchObject({
        code: "VNF_GUEST_COMMAND",
        hint: expect.stringContaining("vnflab resume"),
      });
      await driver.control.resume(spec);
      await driver.control.resume(spec);
      expect((await driver.observe(spec)).paused).toBeUndefined();
      await expect
        .poll(async () => (await (await driver.exec(spec, { argv: ["printf", "%s", "x"] })).wait()).stdout)
        .toBe("x");
    });

    it("goes back to what was saved, or says that it cannot", async () => {
      const { driver, spec } = world;
      const mark = `${spec.workDir}/mark`;
      const file = `${spec.stateDir}/saved`;
      await driver.putFile(spec, mark, new TextEncoder().encode("before"));
      const refusal = await driver.control.save(spec, file).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refusal) {
        expect(refusal).toMatchObject({ code: "VNF_UNSUPPORTED" });
        expect((await driver.observe(spec)).status).toBe("running");
        return;
      }
      await driver.control.restore(spec, file);
      await driver.putFile(spec, mark, new TextEncoder().encode("after"));
      await driver.control.restore(spec, file);
      expect(Buffer.from(await driver.getFile(spec, mark)).toString()).toBe("before");
    });

    it("loses what is in memory by a reset, and is ready again, or says that it cannot", async () => {
      const { driver, spec } = world;
      const mark = `${spec.workDir}/reset-mark`;
      await driver.putFile(spec, mark, new Uint8Array([1]));
      const refusal = await driver.control.reset(spec).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refusal) {
        expect(refusal).toMatchObject({ code: "VNF_UNSUPPORTED" });
        expect(await driver.getFile(spec, mark)).toHaveLength(1);
        return;
      }
      for (const rung of driver.rungs(spec)) {
        await expect.poll(() => rung.probe(NEVER), { timeout: rung.deadlineMs }).toMatchObject({ reached: true });
      }
      await expect(driver.getFile(spec, mark)).rejects.toMatchObject({ code: "VNF_GUEST_COMMAND" });
    });

    it("stops, twice, and leaves no command running", async () => {
      const orphan = await world.driver.exec(world.spec, { argv: ["sleep", "60"] });
      const ended = orphan.wait().catch(() => undefined);
      await world.driver.stop(world.spec);
      await world.driver.stop(world.spec);
      await ended;
      expect((await world.driver.observe(world.spec)).status).toBe("absent");
    });
  });
}

/** The programs of the contract, without a real shell. */
export function installContractPrograms(host: FakeHost): void {
  const untilSignalled = (signal: AbortSignal): Promise<number> =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve(143)));
  host.exec.install("sleep", ({ signalled }) => untilSignalled(signalled));
  host.exec.install("printf", ({ argv, print }) => {
    print("stdout", argv[2] ?? "");
    return 0;
  });
  host.exec.install("wc", ({ input, print }) => {
    print("stdout", `${input?.length ?? 0}\n`);
    return 0;
  });
  host.exec.install("sh", ({ env, input, print, signalled }) => {
    if (!input) {
      print("stdout", "ready\n");
      return untilSignalled(signalled);
    }
    print("stdout", `${Buffer.from(input).toString()}${env.COLOUR}\n`);
    print("stderr", "oops\n");
    return 7;
  });
}

/** Resolves when a word has been put out. */
function listener(word: string): { spoken: Promise<void>; listen: NonNullable<GuestCommand["onOutput"]> } {
  let seen = "";
  let resolve = () => {};
  const spoken = new Promise<void>((done) => {
    resolve = done;
  });
  const listen = (_stream: string, chunk: string) => {
    seen += chunk;
    if (seen.includes(word)) resolve();
  };
  return { spoken, listen };
}
