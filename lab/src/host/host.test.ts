import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readHostFacts, readTscKhz } from "./facts.js";
import { fakeHost } from "./fake-host.js";
import type { Host } from "./host.js";
import { resolveLayout } from "./layout.js";
import { acquireLock, lockHolder, removeStaleLock } from "./lock.js";
import { findMarkedProcesses, LAB_MARK, stopProcesses } from "./marked-processes.js";
import { realHost } from "./real-host.js";
import { waitFor } from "./wait.js";

const scratch = await mkdtemp(join(tmpdir(), "vnflab-host-test-"));
afterAll(() => rm(scratch, { recursive: true }));

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

function fakeWithPrograms(): Host {
  const host = fakeHost();
  host.exec.install("cat", ({ input, print }) => {
    print("stdout", String(input ?? ""));
    return 0;
  });
  host.exec.install("sh", ({ argv, print }) => {
    print("stdout", "out\n");
    print("stderr", "err\n");
    return argv.includes("3") ? 3 : 0;
  });
  host.exec.install("sleep", ({ signalled }) => {
    return new Promise((resolve) => signalled.addEventListener("abort", () => resolve(143)));
  });
  return host;
}

describe.each([
  { name: "the real host", host: realHost(), dir: scratch },
  { name: "the fake host", host: fakeWithPrograms(), dir: "/scratch" },
])("$name", ({ host, dir }) => {
  const { exec, files, clock } = host;

  it("runs a program with its two outputs and its exit code apart", async () => {
    const result = await exec.run(["sh", "-c", 'echo out; echo err >&2; exit "$1"', "sh", "3"]);
    expect(result).toEqual({ stdout: "out\n", stderr: "err\n", exitCode: 3 });
  });

  it("feeds standard input and reports output as it comes", async () => {
    const chunks: string[] = [];
    const hostile = "a 'b' \"c\" $(d) `e` \\";
    await exec.run(["cat"], { input: hostile, onOutput: (stream, chunk) => chunks.push(`${stream}:${chunk}`) });
    expect(chunks).toEqual([`stdout:${hostile}`]);
  });

  it("names a program that is not there", async () => {
    await expect(exec.run(["no-such-program"])).rejects.toMatchObject({ code: "VNF_TOOL_MISSING" });
    expect(await exec.which("no-such-program")).toBeUndefined();
    expect(await exec.which("cat")).toMatch(/\/cat$/);
  });

  it("writes a stream of chunks with its mode, and nothing when the stream fails; reads from an offset", async () => {
    const path = join(dir, "stream");
    async function* chunks(fault?: Error) {
      yield new TextEncoder().encode("one ");
      if (fault) throw fault;
      yield new TextEncoder().encode("two");
    }
    await expect(files.write(path, chunks(new Error("torn")))).rejects.toThrow("torn");
    expect((await files.list(dir)).filter((name) => name.startsWith("stream"))).toEqual([]);
    expect(await files.info(path)).toBeUndefined();
    await files.write(path, chunks(), { mode: 0o750 });
    expect(await files.info(path)).toEqual({ kind: "file", sizeBytes: 7, mode: 0o750 });
    const rest = await collected(files.chunks(path, 4));
    expect(Buffer.concat(rest).toString()).toBe("two");
    expect(await collected(files.chunks(join(dir, "absent")))).toEqual([]);
  });

  it("signals a process by its identity alone, and nobody when it has ended", async () => {
    const child = await exec.spawn(["sleep", "60"]);
    await exec.signal(child.identity, "SIGSTOP");
    await exec.signal(child.identity, "SIGCONT");
    await exec.signal(child.identity, "SIGTERM");
    expect((await child.wait()).exitCode).toBe(143);
    await exec.signal(child.identity, "SIGTERM");
  });

  it("ends a process that is signalled", async () => {
    const child = await exec.spawn(["sleep", "60"]);
    child.signal("SIGTERM");
    expect((await child.wait()).exitCode).toBe(143);
  });

  it("ends a process when its signal aborts", async () => {
    const abort = new AbortController();
    const child = await exec.spawn(["sleep", "60"], { signal: abort.signal });
    abort.abort();
    expect((await child.wait()).exitCode).toBe(143);
  });

  it("starts a daemon, sees it alive, stops it, and never mistakes another process for it", async () => {
    const daemon = await exec.startDaemon(["sleep", "60"], { logFile: join(dir, "daemon.log") });
    expect(await exec.isAlive(daemon)).toBe(true);
    const recycled = { ...daemon, startTicks: daemon.startTicks + 1 };
    expect(await exec.isAlive(recycled)).toBe(false);
    expect(await exec.stop(recycled, 1000)).toBe(false);
    expect(await exec.isAlive(daemon)).toBe(true);
    expect(await exec.stop(daemon, 2000)).toBe(false);
    expect(await exec.isAlive(daemon)).toBe(false);
  });

  it("writes, appends, lists, moves and removes files", async () => {
    await files.write(join(dir, "a/b/file"), "one\n");
    await files.append(join(dir, "a/b/file"), "two\r\nthree\n");
    expect(await files.tail(join(dir, "a/b/file"), 2)).toEqual(["two", "three"]);
    await files.write(join(dir, "console"), "one\r\r\n\x1b[31mred\x1b[0m\x07 \x1b[6ntwo\tthree\r\n");
    expect(await files.tail(join(dir, "console"), 2)).toEqual(["one", "red two\tthree"]);
    expect(await files.kind(join(dir, "a/b"))).toBe("directory");
    expect(await files.list(join(dir, "a"))).toEqual(["b"]);
    await files.move(join(dir, "a"), join(dir, "moved"));
    expect(await files.readText(join(dir, "moved/b/file"))).toBe("one\ntwo\r\nthree\n");
    await files.remove(join(dir, "moved"));
    expect(await files.kind(join(dir, "moved"))).toBeUndefined();
    expect(await files.readText(join(dir, "moved/b/file"))).toBeUndefined();
  });

  it("gives a lock to one holder, and takes over a dead one's", async () => {
    const path = join(dir, "lock");
    {
      await using _lock = await acquireLock(host, path, "up");
      await expect(acquireLock(host, path, "down")).rejects.toMatchObject({ code: "VNF_LAB_LOCKED" });
    }
    await files.write(path, JSON.stringify({ pid: 999_999_999, startTicks: 5, purpose: "up" }));
    await using _lock = await acquireLock(host, path, "down");
    expect(await files.readText(path)).toContain("down");
  });

  it("lets one of many have what a dead holder left", async () => {
    const path = join(dir, "contended");
    for (let round = 0; round < 5; round++) {
      await files.write(path, JSON.stringify({ pid: 999_999_999, startTicks: round, purpose: "up" }));
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(host, path, "down")));
      const got = results.filter((result) => result.status === "fulfilled");
      expect(got).toHaveLength(1);
      await got[0]?.value[Symbol.asyncDispose]();
    }
    expect((await files.list(dir)).filter((name) => name.startsWith("contended"))).toEqual([]);
  });

  it("waits for a lock when asked to", async () => {
    const path = join(dir, "waited");
    const first = await acquireLock(host, path, "up");
    const second = acquireLock(host, path, "up", { waitMs: 5000 });
    await first[Symbol.asyncDispose]();
    await using _lock = await second;
    expect(await lockHolder(host, path)).toMatchObject({ purpose: "up" });
    expect(await removeStaleLock(host, path)).toBe(false);
  });

  it("removes a folder only when it is empty", async () => {
    const path = join(dir, "folder");
    await files.write(join(path, "file"), "");
    await files.removeEmpty(path);
    expect(await files.list(path)).toEqual(["file"]);
    await files.remove(join(path, "file"));
    await files.removeEmpty(path);
    await files.removeEmpty(path);
    expect(await files.kind(path)).toBeUndefined();
  });

  it("waits until a probe succeeds, and tells what it saw last when it never does", async () => {
    let looks = 0;
    const signal = new AbortController().signal;
    const onDeadline = (lastSeen: string) => new Error(`last seen: ${lastSeen}`);
    const third = async () =>
      ++looks === 3 ? { reached: true as const, value: looks } : { reached: false as const, lastSeen: `${looks}` };
    expect(await waitFor(clock, third, { deadlineMs: 5000, signal, intervalMs: 1, onDeadline })).toBe(3);
    const never = async () => ({ reached: false as const, lastSeen: "nothing" });
    await expect(waitFor(clock, never, { deadlineMs: 20, signal, onDeadline })).rejects.toThrow("last seen: nothing");
    await expect(
      waitFor(clock, never, { deadlineMs: 20, signal: AbortSignal.abort(new Error("stop")), onDeadline }),
    ).rejects.toThrow("stop");
  });
});

describe("marks of a lab", () => {
  const host = realHost();
  const { exec } = host;
  const dir = scratch;

  it("finds and stops what carries a lab's mark, children too, and nothing else", async () => {
    const runRoot = join(dir, "run");
    const env = { [LAB_MARK]: `${runRoot}/pair-1234` };
    const marked = await exec.spawn(["sh", "-c", "sleep 60 & wait"], { env });
    const other = await exec.spawn(["sleep", "61"], { env: { [LAB_MARK]: `${dir}/elsewhere/x` } });
    const mentions = await exec.spawn(["tail", "-f", "/dev/null", `${runRoot}/pair-1234/switch.log`]);
    const find = async () => (await findMarkedProcesses(host, runRoot)).map(({ command }) => command).sort();
    await expect.poll(find).toEqual(["sh -c sleep 60 & wait", "sleep 60"]);
    const found = await findMarkedProcesses(host, runRoot);
    expect(found.map(({ runDir }) => runDir)).toEqual([env[LAB_MARK], env[LAB_MARK]]);
    expect(await stopProcesses(host, found, 5000)).toEqual([]);
    expect(await find()).toEqual([]);
    for (const child of [other, mentions]) {
      expect(await exec.isAlive(child.identity)).toBe(true);
      child.signal("SIGKILL");
      await child.wait();
    }
    await marked.wait();
  });

  it("finds a process that is just beginning another program", async () => {
    const fake = fakeHost();
    const program: Record<string, string> = {
      cmdline: "sleep\u000060\u0000",
      environ: `${LAB_MARK}=/run/l/pair-12\u0000`,
    };
    await fake.files.write("/proc/7/stat", `7 (sleep) S 1 ${"0 ".repeat(17)}77 0`);
    for (const name of Object.keys(program)) await fake.files.write(`/proc/7/${name}`, "");
    const { readText } = fake.files;
    let looks = 0;
    fake.files.readText = async (path) => {
      const name = /^\/proc\/7\/(cmdline|environ)$/.exec(path)?.[1];
      return name && ++looks > 4 ? program[name] : readText.call(fake.files, path);
    };
    expect(await findMarkedProcesses(fake, "/run/l")).toMatchObject([{ pid: 7, command: "sleep 60" }]);
    looks = Number.NEGATIVE_INFINITY;
    expect(await findMarkedProcesses(fake, "/run/l")).toEqual([]);
  });

  it("knows the QEMU of a lab by its arguments", async () => {
    const fake = fakeHost();
    await fake.files.write("/proc/7/stat", `7 (qemu-system-x86) S 1 ${"0 ".repeat(17)}77 0`);
    await fake.files.write(
      "/proc/7/cmdline",
      "/usr/bin/qemu-system-x86_64\0-chardev\0socket,path=/run/l/pair-12/vm.con\0",
    );
    expect(await findMarkedProcesses(fake, "/run/l")).toMatchObject([
      { pid: 7, startTicks: 77, runDir: "/run/l/pair-12" },
    ]);
    expect(await findMarkedProcesses(fake, "/run/else")).toEqual([]);
  });
});

describe("sockets of the real host", () => {
  it("tells a listening socket from a stale one and from none", async () => {
    const { sockets } = realHost();
    const path = join(scratch, "s.sock");
    expect(await sockets.isListening(`unix:${path}`)).toBe(false);
    const server = createServer((client) => client.pipe(client)).listen(path);
    await new Promise((resolve) => server.once("listening", resolve));
    expect(await sockets.isListening(`unix:${path}`)).toBe(true);
    {
      await using stream = await sockets.connect(`unix:${path}`);
      const echoed = new Promise<string>((resolve) => stream.onData((data) => resolve(Buffer.from(data).toString())));
      stream.write(Buffer.from("hello"));
      expect(await echoed).toBe("hello");
    }
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("facts", () => {
  const cpuinfo = (flags: string) => `flags\t\t: fpu ${flags} sse2\ncpu MHz\t\t: 2596.142\n`;

  it("are cores and memory", async () => {
    const host = fakeHost();
    await host.files.write("/proc/self/status", "Name:\tnode\nCpus_allowed_list:\t0-1,4\n");
    await host.files.write("/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    2097152 kB\n");
    expect(await readHostFacts(host)).toEqual({
      ...{ cores: [0, 1, 4], availableMemoryMib: 2048 },
      ...{ siblings: [], nodes: [], hugepages: [] },
    });
    const sysfs: Record<string, string> = {
      "cpu/cpu0/topology/thread_siblings_list": "0,4\n",
      "cpu/cpu4/topology/thread_siblings_list": "0,4\n",
      "cpu/cpu1/topology/thread_siblings_list": "1\n",
      "node/node0/cpulist": "0-3\n",
      "node/node0/hugepages/hugepages-2048kB/free_hugepages": "7\n",
      "node/node0/hugepages/hugepages-1048576kB/free_hugepages": "0\n",
      "node/node10/cpulist": "4-7\n",
      "node/online": "0,10\n",
    };
    for (const [name, text] of Object.entries(sysfs)) await host.files.write(`/sys/devices/system/${name}`, text);
    expect(await readHostFacts(host)).toMatchObject({
      siblings: [[0, 4], [1]],
      nodes: [
        { node: 0, cores: [0, 1, 2, 3] },
        { node: 10, cores: [4, 5, 6, 7] },
      ],
      hugepages: expect.arrayContaining([
        { node: 0, sizeKib: 2048, free: 7 },
        { node: 0, sizeKib: 1048576, free: 0 },
      ]),
    });
  });

  it("name the counter's rate of a virtual host only", async () => {
    const host = fakeHost();
    await host.files.write("/proc/cpuinfo", cpuinfo("constant_tsc hypervisor"));
    expect(await readTscKhz(host)).toBe(2_596_142);
    await host.files.makeDirectory("/sys/devices/system/cpu/cpu0/cpufreq");
    expect(await readTscKhz(host)).toBeUndefined();
    const metal = fakeHost();
    await metal.files.write("/proc/cpuinfo", cpuinfo("constant_tsc"));
    expect(await readTscKhz(metal)).toBeUndefined();
  });
});

describe("layout", () => {
  it("keeps labs of one name in two state folders apart", async () => {
    const one = (await resolveLayout(fakeHost({ VNFLAB_STATE: "/a" }))).lab("x");
    const two = (await resolveLayout(fakeHost({ VNFLAB_STATE: "/b" }))).lab("x");
    expect(one.stateDir).toBe("/a/labs/x");
    expect(one.runDir).toMatch(/^\/tmp\/vnflab-1000\/x-[0-9a-f]{4}$/);
    expect(two.runDir).not.toBe(one.runDir);
  });

  it("asks for a folder when there is no home", async () => {
    await expect(resolveLayout(fakeHost({}))).rejects.toMatchObject({ code: "VNF_USAGE" });
  });
});
