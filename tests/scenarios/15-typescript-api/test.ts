/** The lab as a library: under vitest here, under node:test in the example of the guide. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Lab } from "vnflab";
import { $ } from "zx";
import { eachTestLeavesNothing, FOR_PROCESSES } from "../../support/lab-hooks.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const LAB = join(REPOSITORY, "lab/examples/two-processes/lab.yaml");
const BUILT = join(REPOSITORY, "tests/dist/scenarios/15-typescript-api");
const reason = missing(FOR_PROCESSES);

describe.skipIf(reason)(`the lab from TypeScript${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  const env = { ...process.env, VNFLAB_STATE: vnflab.state, VNFLAB_RUN: vnflab.run };
  let here: Disposable | undefined;
  eachTestLeavesNothing(vnflab);
  beforeAll(() => {
    mkdirSync(vnflab.state);
    here = vnflab.here();
  });
  afterAll(() => {
    here?.[Symbol.dispose]();
  });

  it("await using brings it up, runs commands, files and suites, and takes it down", async () => {
    {
      await using lab = await Lab.up(LAB, { set: { "machines.left.address": "169.254.9.77/24" } });
      const left = lab.machine("left");
      expect(left.address).toBe("169.254.9.77");
      expect(await left.exec(["sh", "-c", "cat; exit 3"], { input: "in" })).toMatchObject({
        stdout: "in",
        exitCode: 3,
      });
      await lab.copy(join(REPOSITORY, "README.md"), "left:copied");
      const copied = await lab.copy("left:copied", join(vnflab.folder, "copied"));
      expect(readFileSync(copied.target, "utf8")).toBe(readFileSync(join(REPOSITORY, "README.md"), "utf8"));
      const report = await lab.test({ only: ["udp.echo"], amounts: { datagrams: 500 } });
      expect(report).toMatchObject({ passed: 2, failed: 0 });
      expect((await lab.inspect()).running).toBe(true);
    }
    expect(vnflab.leftovers()).toEqual([]);
  });

  it("the guide's example passes under node:test, and is what the guide shows", async () => {
    const run = await $({ env, nothrow: true, quiet: true, cwd: REPOSITORY })`node --test ${join(BUILT, "example.js")}`;
    expect(run.exitCode, run.stdout).toBe(0);
    const source = readFileSync(join(REPOSITORY, "tests/scenarios/15-typescript-api/example.ts"), "utf8");
    const guide = readFileSync(join(REPOSITORY, "docs/guides/from-typescript.md"), "utf8");
    expect(guide).toContain(source.slice(source.indexOf("import ")));
  });

  it("a program that is killed leaves nothing", async () => {
    const running = $({ env, nothrow: true, quiet: true, cwd: REPOSITORY })`exec node ${join(BUILT, "killed.js")}`;
    await new Promise<void>((resolve, reject) => {
      running.stdout.on("data", (chunk) => String(chunk).includes("is up") && resolve());
      void running.finally(() => reject(new Error("it has ended")));
    });
    expect(vnflab.leftovers()).not.toEqual([]);
    process.kill(running.pid as number, "SIGKILL");
    await running;
    await expect.poll(() => vnflab.leftovers(), { timeout: 60_000, interval: 500 }).toEqual([]);
  });
});
