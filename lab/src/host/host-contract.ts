/** What every Host must do: the same tests for this host, for one behind a link, in a container, behind ssh. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Host } from "./host.js";

export interface HostWorld extends AsyncDisposable {
  readonly host: Host;
  /** A folder on that host for the tests alone; exists. */
  readonly folder: string;
}

const LARGE_BYTES = 3_000_000;

export function hostContract(name: string, makeWorld: () => Promise<HostWorld>, timeoutMs = 20_000): void {
  describe(`host: ${name}`, { timeout: timeoutMs }, () => {
    let world: HostWorld;
    const shell = (script: string, more = {}) => world.host.exec.run(["sh", "-c", script], more);
    const path = (file: string) => join(world.folder, file);

    beforeAll(async () => {
      world = await makeWorld();
    }, timeoutMs);
    afterAll(() => world?.[Symbol.asyncDispose](), timeoutMs);

    it("runs commands with outputs apart, exit code, environment, folder and input", async () => {
      const env = { COLOUR: "green" };
      const result = await shell("cat; echo $COLOUR; pwd; echo oops >&2; exit 7", {
        ...{ env, cwd: world.folder, input: "from outside\n" },
      });
      expect(result).toEqual({ stdout: `from outside\ngreen\n${world.folder}\n`, stderr: "oops\n", exitCode: 7 });
    });

    it("hands hostile arguments over as they are", async () => {
      const hostile = "a 'b' \"c\" $(d) `e` \\ ;|&\n\t* ü";
      expect((await world.host.exec.run(["printf", "%s", hostile])).stdout).toBe(hostile);
    });

    it("carries large input and output, every character whole", async () => {
      const input = "größe ".repeat(LARGE_BYTES / 8);
      const { stdout, exitCode } = await world.host.exec.run(["cat"], { input });
      expect(exitCode).toBe(0);
      expect(stdout === input).toBe(true);
    });

    it("reports output as it comes, and ends a process by signal", async () => {
      let heard = "";
      const child = await world.host.exec.spawn(["sh", "-c", "echo up; exec sleep 60"], {
        onOutput: (stream, chunk) => {
          heard += `${stream} ${chunk}`;
        },
      });
      await expect.poll(() => heard).toBe("stdout up\n");
      expect(await world.host.exec.isAlive(child.identity)).toBe(true);
      child.signal("SIGTERM");
      expect((await child.wait()).exitCode).toBe(143);
      expect(await world.host.exec.isAlive(child.identity)).toBe(false);
    });

    it("ends with the command, not with what it leaves in the background, and has all that it printed", async () => {
      const script = "sleep 60 & head -c 300000 /dev/zero | tr '\\0' x; echo $! >&2";
      const started = await world.host.exec.spawn(["sh", "-c", script]);
      const { stdout, stderr, exitCode } = await started.wait();
      expect([stdout.length, exitCode]).toEqual([300_000, 0]);
      const left = `/proc/${Number(stderr)}/stat`;
      expect(await world.host.files.readText(left)).toContain("(sleep)");
      await shell(`kill -KILL ${Number(stderr)}`);
      await expect.poll(async () => (await world.host.files.readText(left)) ?? "").not.toMatch(/\(sleep\) [^Z]/);
    });

    it("says that a program is missing", async () => {
      await expect(world.host.exec.run(["vnflab-no-such-program"])).rejects.toMatchObject({ code: "VNF_TOOL_MISSING" });
      expect(await world.host.exec.which("vnflab-no-such-program")).toBeUndefined();
      expect(await world.host.exec.which("sh")).toMatch(/^\/.*sh$/);
    });

    it("ends a process when its time is over, or when it is no longer wanted", async () => {
      expect((await shell("exec sleep 60", { timeoutMs: 200 })).exitCode).toBe(143);
      const unwanted = new AbortController();
      const running = shell("echo up; exec sleep 60", { signal: unwanted.signal, onOutput: () => unwanted.abort() });
      expect((await running).exitCode).toBe(143);
    });

    it("starts a daemon that lives until it is stopped, and logs to its file", async () => {
      const { exec, files } = world.host;
      const logFile = path("daemon.log");
      const script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done";
      const daemon = await exec.startDaemon(["sh", "-c", script], { logFile });
      await expect.poll(() => files.readText(logFile)).toBe("up\n");
      expect(await exec.isAlive(daemon)).toBe(true);
      expect(await exec.isAlive({ ...daemon, startTicks: daemon.startTicks + 1 })).toBe(false);
      expect(await exec.stop(daemon, 5000)).toBe(false);
      expect(await exec.isAlive(daemon)).toBe(false);
      expect(await files.tail(logFile, 1)).toEqual(["bye"]);
      expect(await exec.stop(daemon, 5000)).toBe(false);
    });

    it("kills a daemon that does not listen", async () => {
      const { exec, files } = world.host;
      const logFile = path("deaf.log");
      const daemon = await exec.startDaemon(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done"], {
        logFile,
      });
      await expect.poll(() => files.readText(logFile)).toBe("up\n");
      expect(await exec.stop(daemon, 100)).toBe(true);
      expect(await exec.isAlive(daemon)).toBe(false);
    });

    it("writes files in one step, with their mode, and makes their folders", async () => {
      const { files } = world.host;
      const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => (at * 7) % 256);
      const file = path("a/b/file");
      await files.write(file, bytes, { mode: 0o600 });
      expect(Buffer.from((await files.readBytes(file)) ?? []).equals(bytes)).toBe(true);
      expect(await files.info(file)).toEqual({ kind: "file", sizeBytes: bytes.length, mode: 0o600 });
      await files.write(file, "text\n");
      expect(await files.readText(file)).toBe("text\n");
      expect(await files.list(path("a/b"))).toEqual(["file"]);
    });

    it("writes a stream, and leaves the old file when the stream breaks", async () => {
      const { files } = world.host;
      const file = path("streamed");
      const pieces = Array.from({ length: 5 }, (_, at) => new Uint8Array(500_000).fill(at));
      await files.write(file, from(pieces));
      const read: Uint8Array[] = [];
      for await (const chunk of files.chunks(file, 100)) read.push(chunk);
      expect(Buffer.concat(read).equals(Buffer.concat(pieces).subarray(100))).toBe(true);
      await expect(files.write(file, from(pieces, new Error("torn")))).rejects.toThrow("torn");
      expect((await files.info(file))?.sizeBytes).toBe(2_500_000);
      expect((await files.list(world.folder)).filter((entry) => entry.startsWith("streamed"))).toEqual(["streamed"]);
    });

    it("takes what is absent for absent", async () => {
      const { files } = world.host;
      const absent = path("absent");
      expect(await files.kind(absent)).toBeUndefined();
      expect(await files.readText(absent)).toBeUndefined();
      expect(await files.readBytes(absent)).toBeUndefined();
      expect(await files.list(absent)).toEqual([]);
      expect(await files.tail(absent, 3)).toEqual([]);
      await files.remove(absent);
    });

    it("appends, moves, removes, creates once", async () => {
      const { files } = world.host;
      await files.append(path("log"), "one\n");
      await files.append(path("log"), "two\n");
      await files.move(path("log"), path("moved/log"));
      expect(await files.readText(path("moved/log"))).toBe("one\ntwo\n");
      expect(await files.createExclusive(path("moved/log"), "x")).toBe(false);
      expect(await files.createExclusive(path("moved/new"), "x")).toBe(true);
      await files.removeEmpty(path("moved"));
      expect(await files.kind(path("moved"))).toBe("directory");
      await files.remove(path("moved"));
      expect(await files.kind(path("moved"))).toBeUndefined();
    });

    it("talks to a socket there, directly and by an address of this process", async () => {
      const { exec, sockets, node } = world.host;
      const socket = path("echo.sock");
      const address = `unix:${socket}`;
      const server = `require("net").createServer((s) => s.pipe(s)).listen(${JSON.stringify(socket)})`;
      const daemon = await exec.startDaemon([node, "-e", server], { logFile: path("echo.log") });
      await expect.poll(() => sockets.isListening(address), { timeout: 10_000 }).toBe(true);
      expect(await sockets.isListening(`${address}.not`)).toBe(false);
      await expect(sockets.connect(`${address}.not`)).rejects.toThrow(/ENOENT/);
      for (const at of [address, await sockets.here(address)]) {
        const host = at === address ? world.host : (await import("./real-host.js")).realHost();
        await using stream = await host.sockets.connect(at);
        let heard = "";
        stream.onData((data) => {
          heard += Buffer.from(data).toString();
        });
        stream.write(Buffer.from("hello"));
        await expect.poll(() => heard).toBe("hello");
      }
      await exec.stop(daemon, 5000);
      // A process counts as ended when its first thread has; the others close its sockets.
      await expect.poll(() => sockets.isListening(address)).toBe(false);
    });

    it("tells its user, its node and the repository's folder", async () => {
      const { host } = world;
      expect(host.uid).toBe(Number((await shell("id -u")).stdout));
      expect((await host.exec.run([host.node, "--version"])).exitCode).toBe(0);
      expect(await host.files.kind(join(host.root, "vm-templates"))).toBe("directory");
    });
  });
}

async function* from(pieces: readonly Uint8Array[], failure?: Error): AsyncGenerator<Uint8Array> {
  yield* pieces;
  if (failure) throw failure;
}
