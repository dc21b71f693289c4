/** A run of real processes: read, checked, compared, passed on and measured again from its bundle. */
import { appendFileSync, cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { $ } from "zx";
import { eachTestLeavesNothing, FOR_PROCESSES } from "../../support/lab-hooks.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const EXPERIMENT = join(import.meta.dirname, "small.yaml").replace("/dist/", "/");
const reason = missing(FOR_PROCESSES);

describe.skipIf(reason)(`results of a run${reason ? ` (${reason})` : ""}`, () => {
  const vnflab = new Vnflab();
  eachTestLeavesNothing(vnflab);
  const run = join(vnflab.folder, "recorded");
  const results = (...argv: string[]) => vnflab.command("results", ...argv);
  beforeAll(async () => {
    await vnflab.must("experiment", "run", EXPERIMENT, "--out", run);
  });

  it("is whole, shows its figures, and does not differ from itself", async () => {
    expect(await results("verify", run)).toMatchObject({ exitCode: 0 });
    const shown = JSON.parse((await results("show", run, "--json")).stdout);
    expect(shown.cells).toHaveLength(2);
    for (const { measured, quantities } of shown.cells) {
      expect(measured).toBe(3);
      expect(quantities.requests_per_second.median).toBeGreaterThan(0);
      expect(quantities.requests_per_second.interval.low).toBeLessThanOrEqual(quantities.requests_per_second.median);
    }
    const same = await results("compare", run, run);
    expect(same).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("no difference of 5 % or more was found"),
    });
  });

  it("a line that was lost, or a byte that was changed, is found", async () => {
    const damaged = join(vnflab.folder, "damaged");
    cpSync(run, damaged, { recursive: true });
    const [first = ""] = readFileSync(join(run, "results.jsonl"), "utf8").split("\n");
    appendFileSync(join(damaged, "results.jsonl"), `${first}\n`);
    const { exitCode, stdout } = await results("verify", damaged);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^FAILED +each trial once /m);
  });

  it("its bundle checks itself, measures again with the options given, and compares", async () => {
    const file = join(vnflab.folder, "bundle.tar.gz");
    await vnflab.must("results", "bundle", run, file, "--experiment", EXPERIMENT);
    const options = { cwd: vnflab.folder, nothrow: true, quiet: true };
    await $({ ...options, nothrow: false })`tar -xzf ${file}`;
    const [name = ""] = (await $(options)`tar -tzf ${file}`).stdout.split("/");
    const script = join(vnflab.folder, name, "reproduce.sh");
    const env = {
      ...process.env,
      ...{ VNFLAB_STATE: vnflab.state, VNFLAB_RUN: vnflab.run, VNFLAB: join(REPOSITORY, "lab/bin/vnflab.js") },
    };
    const again = await $({ ...options, env })`${script} --quick`;
    // One repetition can show no difference, whatever the host does meanwhile.
    expect(again.exitCode, again.stderr).toBe(0);
    expect(again.stdout).toMatch(/^requests_per_second +2 /m);
    expect(await results("verify", join(vnflab.folder, name, "again"))).toMatchObject({ exitCode: 0 });
    expect(await results("verify", join(vnflab.folder, name, "run"))).toMatchObject({ exitCode: 0 });
    appendFileSync(join(vnflab.folder, name, "run/results.jsonl"), "\n");
    expect(await $({ ...options, env })`${script} --quick`).toMatchObject({
      ...{ exitCode: 2, stderr: expect.stringContaining("the bundle is damaged") },
    });
  });
});
