/**
 * What a lab survives: vnflab killed at every step of `up`, any process of the lab killed at any time, a second lab of
 * the same example beside it. Afterwards nothing is left: no process, socket, domain, mount or file.
 *
 * SURVIVES_ROUNDS and SURVIVES_VM_ROUNDS say how often a process is killed; `make soak-lab` does it 50 times.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eachTestLeavesNothing, FOR_PROCESSES, FOR_VMS } from "../../support/lab-hooks.js";
import { seededRandom } from "../../support/random.js";
import { failures, parseReport } from "../../support/report.js";
import { missing, Vnflab } from "../../support/vnflab.js";

const PROCESSES = { file: "lab/examples/two-processes/lab.yaml", name: "two-processes", machine: "left" };
const VMS = { file: "lab/examples/two-vms/lab.yaml", name: "two-vms", machine: "vm1" };
const ROUNDS = Number(process.env.SURVIVES_ROUNDS ?? 8);
const VM_ROUNDS = Number(process.env.SURVIVES_VM_ROUNDS ?? 1);
const SEED = Number(process.env.SURVIVES_SEED ?? 1);

interface Summary {
  readonly labs: readonly { readonly lab: string; readonly state: string }[];
}

interface Status {
  readonly switch: { readonly pid: number };
  readonly machines: readonly { readonly name: string }[];
}

const vnflab = new Vnflab();
const states = async () => (await vnflab.json<Summary>("ls")).labs.map(({ lab, state }) => `${lab}: ${state}`);

/** One case, both ways. */
async function pass(lab: string): Promise<void> {
  const run = await vnflab.command("test", lab, "--quick", "--only", "udp.echo", "--deadline", "60", "--json");
  expect(failures(parseReport(run.stdout || "{}")), run.stderr).toEqual([]);
}

/** The lines that a whole `up` writes. */
async function linesOfUp(lab: typeof VMS): Promise<number> {
  await vnflab.must("up", lab.file);
  const journal = readFileSync(join(vnflab.state, "labs", lab.name, "journal.jsonl"), "utf8");
  await vnflab.must("down", lab.name);
  return journal.trimEnd().split("\n").length;
}

/** Kills `up` after so many lines; `gc` removes all, or the next `up` makes it whole. */
async function killAndMend(lab: typeof VMS, lines: number, how: "gc" | "up"): Promise<void> {
  expect(await vnflab.upKilledAfter(lines, lab.file), `line ${lines}`).toBe(true);
  if (how === "up") {
    await vnflab.must("up", lab.file);
    expect(await states(), `line ${lines}`).toEqual([`${lab.name}: up`]);
    await vnflab.must("down", lab.name);
  } else {
    await vnflab.must("gc");
  }
  expect(vnflab.leftovers(), `after ${how} at line ${lines}`).toEqual([]);
}

/** up, a random process dies, up, test, down. */
async function killOne(lab: typeof VMS, random: (below: number) => number): Promise<void> {
  await vnflab.must("up", lab.file);
  // So that there is more than the switch to kill.
  const busy = vnflab.start(["exec", lab.name, lab.machine, "--", "sleep", "600"]);
  await expect.poll(() => vnflab.processes().length, { timeout: 20_000 }).toBeGreaterThan(1);
  const victims = vnflab.processes();
  const victim = victims[random(victims.length)] as number;
  const words = readFileSync(`/proc/${victim}/cmdline`, "utf8").replaceAll("\0", " ").slice(0, 60);
  process.kill(victim, "SIGKILL");
  // A zombie that nobody collects has ended, too.
  await expect.poll(() => vnflab.processes(), { message: words }).not.toContain(victim);
  const again = await vnflab.command("up", lab.file);
  expect(again.exitCode, `${words}\n${again.stderr}`).toBe(0);
  expect(await states(), words).toEqual([`${lab.name}: up`]);
  await pass(lab.name);
  await vnflab.must("down", lab.name);
  await busy;
  expect(vnflab.leftovers(), words).toEqual([]);
}

const noProcesses = missing(FOR_PROCESSES);
const noVms = missing([...FOR_PROCESSES, ...FOR_VMS]);

describe.skipIf(noProcesses)(`a lab of processes survives${noProcesses ? ` (${noProcesses})` : ""}`, () => {
  eachTestLeavesNothing(vnflab);

  it("vnflab killed after each line of its journal", async () => {
    const lines = await linesOfUp(PROCESSES);
    expect(lines).toBeGreaterThan(20);
    for (let line = 1; line <= lines; line++) await killAndMend(PROCESSES, line, line % 2 === 0 ? "up" : "gc");
    expect(await vnflab.upKilledAfter(lines + 1, PROCESSES.file)).toBe(false);
  });

  it(`${ROUNDS} rounds in which a random process dies`, async () => {
    const random = seededRandom(SEED);
    for (let round = 0; round < ROUNDS; round++) await killOne(PROCESSES, random);
  });

  it("nothing when it is in the foreground of a command that is killed", async () => {
    const running = vnflab.start(["up", PROCESSES.file, "--foreground"]);
    await expect.poll(states, { timeout: 60_000, interval: 500 }).toEqual([`${PROCESSES.name}: up`]);
    expect(vnflab.processes().length).toBeGreaterThan(0);
    process.kill(running.pid as number, "SIGKILL");
    await running;
    await expect.poll(() => vnflab.leftovers(), { timeout: 60_000, interval: 200 }).toEqual([]);
  });

  it("a machine more that does not come up, and a switch that dies with what impair made of its link", async () => {
    const file = join(vnflab.folder, "grows.yaml");
    const write = (third: string) =>
      writeFileSync(file, `name: grows\ndefaults: {kind: process}\nmachines: {left: {}, right: {}${third}}\n`);
    const status = () => vnflab.json<Status>("status", "grows");
    const impair = async () => (await vnflab.json<{ readonly impair?: object }>("impair", "grows", "lan")).impair;
    write("");
    await vnflab.must("up", file);
    await vnflab.must("impair", "grows", "lan", "--delay", "1ms", "--loss", "0.1%");
    const impaired = await impair();
    expect(impaired).toMatchObject({ delayUs: 1000 });
    const before = await status();
    write(", third: {stack: {config: {no_such_key: 1}}}");
    const { exitCode, stderr } = await vnflab.command("up", file);
    expect(exitCode, stderr).not.toBe(0);
    expect(stderr).toContain("left, right of lab grows run on as before");
    expect((await status()).machines.map(({ name }) => name)).toEqual(["left", "right"]);
    expect((await status()).switch.pid).toBe(before.switch.pid);
    expect(await impair()).toEqual(impaired);
    await pass("grows");

    process.kill(before.switch.pid, "SIGKILL");
    write("");
    await vnflab.must("up", file);
    expect((await status()).switch.pid).not.toBe(before.switch.pid);
    expect(await impair()).toEqual(impaired);
    await vnflab.must("down", "grows");
  });

  it("a second lab of the same example, and either goes without the other", async () => {
    const [first, second] = await Promise.all([
      vnflab.command("up", PROCESSES.file),
      vnflab.command("up", PROCESSES.file, "--name", "second"),
    ]);
    expect([first.exitCode, second.exitCode], first.stderr + second.stderr).toEqual([0, 0]);
    expect(await states()).toEqual(["second: up", `${PROCESSES.name}: up`]);
    await Promise.all([pass(PROCESSES.name), pass("second")]);
    await vnflab.must("down", PROCESSES.name);
    expect(await states()).toEqual(["second: up"]);
    await pass("second");
    await vnflab.must("down", "second");
  });
});

describe.skipIf(noVms)(`a lab of virtual machines survives${noVms ? ` (${noVms})` : ""}`, () => {
  eachTestLeavesNothing(vnflab);

  /** Up to the line before the machines are waited for: minutes would go by with booting else. */
  const BEFORE_BOOT = 11;

  it("vnflab killed after each line of its journal until the machines boot, and once later", async () => {
    for (let line = 1; line <= BEFORE_BOOT; line++) await killAndMend(VMS, line, "gc");
    await killAndMend(VMS, BEFORE_BOOT - 1, "up");
    await killAndMend(VMS, 18, "up");
  });

  it("a second lab of the same example at the same time, and either goes without the other", async () => {
    const both = [vnflab.command("up", VMS.file), vnflab.command("up", VMS.file, "--name", "second")];
    for (const { exitCode, stderr } of await Promise.all(both)) expect(exitCode, stderr).toBe(0);
    expect(await states()).toEqual(["second: up", `${VMS.name}: up`]);
    await Promise.all([pass(VMS.name), pass("second")]);
    await vnflab.must("down", VMS.name);
    expect(await states()).toEqual(["second: up"]);
    await pass("second");
    await vnflab.must("down", "second");
  });

  it(`${VM_ROUNDS} rounds in which a random process dies`, async () => {
    const random = seededRandom(SEED);
    for (let round = 0; round < VM_ROUNDS; round++) await killOne(VMS, random);
  });
});
