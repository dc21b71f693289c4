/** Machines of a lab that runs: exec, cp, shell, logs, pause, reset, snapshot, top, events, inspect, completion. */
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { $, type ProcessPromise } from "zx";
import { FOR_PROCESSES, FOR_VMS, upForAllTests } from "../../support/lab-hooks.js";
import { failures, parseReport } from "../../support/report.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const BIG_BYTES = 20_000_000;

interface TopSample {
  readonly seconds: number;
  readonly cpu: readonly { readonly owner: string; readonly what: string; readonly percent: number }[];
  readonly ports: readonly { readonly name: string; readonly received: number; readonly sent: number }[];
}

interface Answers {
  readonly exitCode: number;
  readonly answers: readonly { readonly machine: string; readonly stdout: string; readonly exitCode: number }[];
}

const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

/** Waits until the command has said these words on standard output. */
async function said(running: ProcessPromise, words: string): Promise<void> {
  let seen = "";
  await new Promise<void>((resolve, reject) => {
    running.stdout.on("data", (chunk) => {
      seen += chunk;
      if (seen.includes(words)) resolve();
    });
    void running.finally(() => reject(new Error(`it ended without "${words}": ${seen}`)));
  });
}

/** It may have ended by itself: a sink does when its source has said that it ends. */
function interrupt(running: ProcessPromise): void {
  try {
    process.kill(running.pid as number, "SIGINT");
  } catch {}
}

/** Frames a second from a machine, as `top` sees them over one second. */
async function rateFrom(vnflab: Vnflab, lab: string, machine: string): Promise<number> {
  const sample = JSON.parse((await vnflab.must("top", lab, "--count", "1", "--json")).stdout) as TopSample;
  return sample.ports.find(({ name }) => name === machine)?.received ?? Number.NaN;
}

/** A stream of datagrams from one machine to the other that lasts until it is disposed. */
async function traffic(vnflab: Vnflab, lab: string, from: string, to: string, address: string) {
  const app = (machine: string, name: string, ...options: string[]) => {
    const argv = [
      "sh",
      "-c",
      'cd "$(dirname "$0")" 2>/dev/null; exec "$@"',
      conf(machine),
      bin(name),
      "-f",
      conf(machine),
    ];
    return vnflab.start(["exec", lab, machine, "--", ...argv, ...options, "--json"]);
  };
  const { machines } = await vnflab.json<{ machines: { name: string; kind: string; files: { state: string } }[] }>(
    "inspect",
    lab,
  );
  const isVm = (name: string) => machines.find((machine) => machine.name === name)?.kind === "vm";
  const conf = (name: string) => {
    const state = machines.find((machine) => machine.name === name)?.files.state ?? "";
    return isVm(name) ? "/run/vnflab/stack.conf" : join(state, "work/stack.conf");
  };
  const bin = (name: string) => (isVm(from) ? `/opt/vnflab/bin/${name}` : join(REPOSITORY, "build/c/stack/apps", name));
  const sink = app(to, "udp_sink", "-l", "9");
  await said(sink, '"listening"');
  const source = app(from, "udp_source", "-a", address, "-p", "9", "-t", "3600", "-r", "1000");
  return {
    async [Symbol.asyncDispose]() {
      for (const running of [source, sink]) {
        interrupt(running);
        await running;
      }
    },
  };
}

/** The same file by way of a machine, there and back. */
async function copiesWhole(vnflab: Vnflab, lab: string, machine: string): Promise<void> {
  const file = join(vnflab.folder, "big");
  writeFileSync(file, randomBytes(BIG_BYTES));
  chmodSync(file, 0o640);
  await vnflab.must("cp", lab, file, `${machine}:/tmp/vnflab-big`);
  const inside = await vnflab.must("exec", lab, machine, "--", "sha256sum", "/tmp/vnflab-big");
  expect(inside.stdout.split(" ")[0]).toBe(sha256(file));
  expect((await vnflab.must("exec", lab, machine, "--", "stat", "-c", "%a", "/tmp/vnflab-big")).stdout).toBe("640\n");
  await vnflab.must("cp", lab, `${machine}:/tmp/vnflab-big`, join(vnflab.folder, "back"));
  expect(sha256(join(vnflab.folder, "back"))).toBe(sha256(file));
  expect(statSync(join(vnflab.folder, "back")).mode & 0o777).toBe(0o640);
  await vnflab.must("exec", lab, machine, "--", "rm", "/tmp/vnflab-big");

  const folder = join(vnflab.folder, "www");
  mkdirSync(join(folder, "deep"), { recursive: true });
  writeFileSync(join(folder, "deep/page"), "page");
  await vnflab.must("cp", lab, folder, `${machine}:/tmp/vnflab-www`);
  await vnflab.must("cp", lab, `${machine}:/tmp/vnflab-www`, join(vnflab.folder, "www-back"));
  expect(readFileSync(join(vnflab.folder, "www-back/deep/page"), "utf8")).toBe("page");
  await vnflab.must("exec", lab, machine, "--", "rm", "-r", "/tmp/vnflab-www");
  const failed = await vnflab.command("cp", lab, join(vnflab.folder, "absent"), `${machine}:/tmp/`);
  expect(failed.exitCode).toBe(44);
}

async function pauseIsSeen(vnflab: Vnflab, lab: string, from: string, to: string, address: string): Promise<void> {
  await using _traffic = await traffic(vnflab, lab, from, to, address);
  await expect.poll(() => rateFrom(vnflab, lab, from), { timeout: 60_000 }).toBeGreaterThan(100);
  await vnflab.must("pause", lab, from);
  expect(await rateFrom(vnflab, lab, from)).toBe(0);
  const refused = await vnflab.command("exec", lab, from, "--", "true");
  expect(refused).toMatchObject({ exitCode: 14, stderr: expect.stringContaining("vnflab resume") });
  await vnflab.must("resume", lab, from);
  await expect.poll(() => rateFrom(vnflab, lab, from), { timeout: 60_000 }).toBeGreaterThan(100);
}

async function inspectionFits(vnflab: Vnflab, lab: string): Promise<void> {
  const schema = JSON.parse(readFileSync(join(REPOSITORY, "lab/schema/inspect.schema.json"), "utf8")) as object;
  const validate = new Ajv2020({ allErrors: true, strict: false }).compile(schema);
  const inspection = await vnflab.json<Record<string, unknown>>("inspect", lab);
  expect(validate(inspection), JSON.stringify(validate.errors)).toBe(true);
  expect(inspection).toMatchObject({ schemaVersion: 1, lab, running: true });
  expect(validate({ ...inspection, machines: [{}] })).toBe(false);
}

const processReason = missing(FOR_PROCESSES);

describe.skipIf(processReason)(`machine control, processes${processReason ? ` (${processReason})` : ""}`, () => {
  const lab = "two-processes";
  const vnflab = new Vnflab();
  upForAllTests(vnflab, `lab/examples/${lab}/lab.yaml`);

  it("exec in many machines gives each line its machine, and the highest exit code", async () => {
    const script = 'echo "$PWD"; case $PWD in */right/*) exit 4;; *) exit 3;; esac';
    const { exitCode, stdout } = await vnflab.command("exec", lab, "left,right", "--", "sh", "-c", script);
    expect(exitCode).toBe(4);
    expect(stdout.trim().split("\n").sort()).toEqual([
      expect.stringMatching(/^left: .*\/left\/work$/),
      expect.stringMatching(/^right: .*\/right\/work$/),
    ]);
    const all = await vnflab.command("exec", "--json", "--all", lab, "--", "sh", "-c", script);
    expect(JSON.parse(all.stdout) as Answers).toMatchObject({
      exitCode: 4,
      answers: [{ exitCode: 3 }, { exitCode: 4 }],
    });
  });

  it("cp carries 20 MB and folders both ways", () => copiesWhole(vnflab, lab, "left"));

  it("shell runs a script from standard input", async () => {
    const run = vnflab.start(["shell", lab, "left"]);
    run.stdin.write("echo in $PWD\nexit 9\n");
    run.stdin.end();
    const { exitCode, stdout } = await run;
    expect(exitCode).toBe(9);
    expect(stdout).toMatch(/^in .*\/left\/work$/m);
  });

  it("logs -f tells what comes, and ends well by Ctrl-C", async () => {
    const following = vnflab.start(["logs", "-f", lab, "left", "-n", "1"]);
    // What is there comes first; then it listens.
    await said(following, "left: ");
    const heard = said(following, "left: hello from left");
    await expect
      .poll(
        async () => {
          await vnflab.must("exec", lab, "left", "--", "echo", "hello from left");
          return Promise.race([heard.then(() => true), new Promise((resolve) => setTimeout(resolve, 500, false))]);
        },
        { timeout: 30_000 },
      )
      .toBe(true);
    process.kill(following.pid as number, "SIGINT");
    expect((await following).exitCode).toBe(0);
  });

  it("pause stops the traffic, resume lets it go on", () => pauseIsSeen(vnflab, lab, "left", "right", "169.254.9.2"));

  it("what a kind of machine cannot do is refused in words", async () => {
    for (const argv of [
      ["reset", lab, "left"],
      ["snapshot", "save", lab, "one"],
    ]) {
      const run = await vnflab.command(...argv);
      expect(run, run.stderr).toMatchObject({ exitCode: 41, stderr: expect.stringContaining("VNF_UNSUPPORTED") });
    }
    expect((await vnflab.json<{ running: boolean }>("status", lab)).running).toBe(true);
  });

  it("top tells the switch's cores, events what happened, inspect all there is", async () => {
    const { stdout } = await vnflab.must("top", lab, "--count", "2", "--interval", "0.5", "--json");
    const samples = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as TopSample);
    expect(samples).toHaveLength(2);
    expect(samples[0]?.cpu.some(({ owner, what }) => owner === "switch" && what === "worker 0")).toBe(true);
    const events = (await vnflab.must("events", lab, "--once", "--json")).stdout;
    expect(events).toContain('"type":"step"');
    expect(events).toMatch(/"type":"machine","machine":"left","status":"running"/);
    await inspectionFits(vnflab, lab);
  });

  it("unknown names are answered with a suggestion, colours only where they are wanted", async () => {
    const run = await vnflab.command("status", "two-proceses");
    expect(run).toMatchObject({ exitCode: 16, stderr: expect.stringContaining('(did you mean "two-processes"?)') });
    expect(run.stderr).not.toContain("\x1b[");
    const coloured = await vnflab.start(["status", "nobody"], { FORCE_COLOR: "1", NO_COLOR: "" });
    expect(coloured.stderr).toContain("\x1b[31m");
    const plain = await vnflab.start(["status", "nobody"], { FORCE_COLOR: "1", NO_COLOR: "1" });
    expect(plain.stderr).not.toContain("\x1b[");
  });

  it.each(["bash", "zsh", "fish"])("the completion script for %s can be read, and asks for labs", async (shell) => {
    const { stdout } = await vnflab.must("completion", shell);
    const file = join(vnflab.folder, `completion.${shell}`);
    writeFileSync(file, stdout);
    const checked = await $({ nothrow: true, quiet: true })`${shell} -n ${file}`;
    expect(checked.exitCode, checked.stderr).toBe(0);
    expect((await vnflab.must("complete", "--", "down", "two")).stdout).toBe("two-processes\t\n:4\n");
    expect((await vnflab.must("complete", "--", "exec", lab, "l")).stdout).toBe("left\t\n:4\n");
  });

  it("version names what is installed", async () => {
    const versions = await vnflab.json<Record<string, string>>("version");
    expect(versions).toMatchObject({
      schemaVersion: 1,
      vnflab: expect.any(String),
      dpdk: expect.stringMatching(/^\d+\./),
    });
  });
});

const vmReason = missing(FOR_VMS);

describe.skipIf(vmReason)(`machine control, virtual machines${vmReason ? ` (${vmReason})` : ""}`, () => {
  const lab = "two-vms";
  const vnflab = new Vnflab();
  upForAllTests(vnflab, `lab/examples/${lab}/lab.yaml`);

  it("exec in all, with more input than the guest agent takes at once", async () => {
    const run = vnflab.start(["exec", "-i", "--json", "--all", lab, "--", "wc", "-c"]);
    run.stdin.end(Buffer.alloc(200_000, "x"));
    const answers = JSON.parse((await run).stdout) as Answers;
    expect(answers.answers.map(({ stdout }) => stdout.trim())).toEqual(["200000", "200000"]);
  });

  it("cp carries 20 MB and folders both ways", () => copiesWhole(vnflab, lab, "vm1"));

  it("pause stops the traffic, resume lets it go on", () => pauseIsSeen(vnflab, lab, "vm1", "vm2", "169.254.9.3"));

  it("a snapshot goes back in time, and the machines talk again", async () => {
    const mark = (text: string) => vnflab.must("exec", "--all", lab, "--", "sh", "-c", `echo ${text} >/tmp/mark`);
    await mark("before");
    await vnflab.must("snapshot", "save", lab, "one");
    const listed = await vnflab.json<{ snapshots: { name: string }[] }>("snapshot", "ls", lab);
    expect(listed.snapshots.map(({ name }) => name)).toEqual(["one"]);
    await mark("after");
    await vnflab.must("snapshot", "restore", lab, "one");
    const read = await vnflab.must("exec", "--all", lab, "--", "cat", "/tmp/mark");
    expect(read.stdout.trim().split("\n").sort()).toEqual(["vm1: before", "vm2: before"]);
    const { stdout, stderr } = await vnflab.command("test", lab, "--case", "udp.echo", "--quick", "--json");
    expect(failures(parseReport(stdout || "{}")), stderr).toEqual([]);
    await vnflab.must("snapshot", "rm", lab, "one");
    expect(readdirSync(join(vnflab.state, "labs", lab, "snapshots"))).toEqual([]);
  });

  it("a reset guest has lost its memory, and is ready again", async () => {
    await vnflab.must("exec", lab, "vm1", "--", "touch", "/tmp/mark");
    await vnflab.must("reset", lab, "vm1");
    expect((await vnflab.command("exec", lab, "vm1", "--", "test", "-e", "/tmp/mark")).exitCode).toBe(1);
    expect((await vnflab.json<{ running: boolean }>("status", lab)).running).toBe(true);
  });

  it("top tells each virtual CPU, inspect all there is", async () => {
    const sample = JSON.parse((await vnflab.must("top", lab, "--count", "1", "--json")).stdout) as TopSample;
    const vcpus = sample.cpu.filter(({ owner, what }) => owner === "vm1" && what.startsWith("vcpu "));
    expect(vcpus.length).toBeGreaterThan(0);
    await inspectionFits(vnflab, lab);
    expect(existsSync(join(vnflab.state, "labs", lab, "lab.json"))).toBe(true);
  });
});
