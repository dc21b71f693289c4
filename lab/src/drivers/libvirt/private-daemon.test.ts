import { describe, expect, it } from "vitest";
import { type FakeHost, fakeHost } from "../../host/fake-host.js";
import { PrivateDaemon } from "./private-daemon.js";

const SOCKET = "unix:/run/l/v/libvirt-sock";

function makeWorld(dir = "/run/l/v", uid = 1000) {
  const host: FakeHost = { ...fakeHost(), uid };
  return { host, daemon: new PrivateDaemon(host, { dir, cacheHome: "/state/cache/libvirt" }) };
}

/** A libvirtd that serves until it is stopped. */
function installDaemon(host: FakeHost): void {
  host.exec.install("libvirtd", async ({ argv, signalled }) => {
    const pid = host.exec.running().at(-1) ?? 0;
    await host.files.write("/run/l/v/libvirtd.pid", `${pid}\n`);
    await host.files.write(`/proc/${pid}/cmdline`, argv.join("\0"));
    // Field 22: the fake host takes the pid for the start time.
    await host.files.write(`/proc/${pid}/stat`, `${pid} (libvirtd) S ${"0 ".repeat(18)}${pid} 0`);
    host.sockets.listening.add(SOCKET);
    await new Promise((resolve) => signalled.addEventListener("abort", resolve));
    host.sockets.listening.delete(SOCKET);
    return 0;
  });
}

describe("the private libvirtd", () => {
  it("starts once, is found again, and leaves nothing below its folder", async () => {
    const { host, daemon } = makeWorld();
    installDaemon(host);
    await Promise.all([daemon.ensure(), daemon.ensure()]);
    await new PrivateDaemon(host, { dir: "/run/l/v", cacheHome: "/state/cache/libvirt" }).ensure();
    expect(host.exec.running()).toHaveLength(1);
    expect(daemon.uri).toBe("qemu+unix:///session?socket=/run/l/v/libvirt-sock");
    await daemon.stop();
    expect(host.exec.running()).toEqual([]);
    expect(host.files.paths().filter((path) => path.startsWith("/run/"))).toEqual([]);
  });

  it("does not take a recycled pid for its own", async () => {
    const { host, daemon } = makeWorld();
    await host.files.write("/run/l/v/libvirtd.pid", "1234\n");
    await host.files.write("/proc/1234/cmdline", "vi\0/etc/passwd");
    expect(await daemon.identity()).toBeUndefined();
  });

  it("takes a stale socket away", async () => {
    const { host, daemon } = makeWorld();
    installDaemon(host);
    host.files.putSocket("/run/l/v/libvirt-sock");
    await daemon.ensure();
    expect(host.files.paths()).not.toContain("/run/l/v/libvirt-sock");
  });

  it("shows the log of a daemon that ends at once", async () => {
    const { host, daemon } = makeWorld();
    host.exec.install("libvirtd", ({ print }) => {
      print("stderr", "cannot create pid file\n");
      return 1;
    });
    await expect(daemon.ensure()).rejects.toMatchObject({
      code: "VNF_LIBVIRT",
      log: { file: "/run/l/v/libvirtd.log", lines: ["cannot create pid file"] },
    });
  });

  it("names what is missing, or too long", async () => {
    await expect(makeWorld().daemon.ensure()).rejects.toMatchObject({ code: "VNF_TOOL_MISSING" });
    const { daemon } = makeWorld(`/run/${"long".repeat(12)}`);
    await expect(daemon.ensure()).rejects.toMatchObject({ code: "VNF_PATH_TOO_LONG" });
  });

  it("is not root even when root starts it, and says so when it cannot", async () => {
    const { host, daemon } = makeWorld("/run/l/v", 0);
    const seen: string[][] = [];
    host.exec.install("libvirtd", () => 0);
    host.exec.install("unshare", ({ argv, print }) => {
      seen.push([...argv]);
      print("stderr", "unshare failed: Operation not permitted\n");
      return 1;
    });
    await expect(daemon.ensure()).rejects.toMatchObject({ code: "VNF_LIBVIRT", message: /user namespace/ });
    expect(seen[0]).toContain("--user");
  });

  it("of root without user namespaces runs as another user, in a folder that is shown to it elsewhere", async () => {
    const { host, daemon } = makeWorld("/run/l/v", 0);
    const started: { argv: readonly string[]; env: Readonly<Record<string, string>> }[] = [];
    host.exec.install("libvirtd", () => 0);
    host.exec.install("unshare", async ({ argv, env, signalled }) => {
      if (argv.at(-1) === "true") return argv.includes("--user") ? 1 : 0;
      started.push({ argv, env });
      host.sockets.listening.add("unix:/run/l/v/libvirt-sock");
      await new Promise((resolve) => signalled.addEventListener("abort", resolve));
      return 0;
    });
    await daemon.ensure();
    const [{ argv, env } = { argv: [], env: {} }] = started;
    expect(argv).toEqual(expect.arrayContaining(["--mount", "/run/l/v", "setpriv", "--reuid=65534"]));
    expect(env).toMatchObject({ XDG_CONFIG_HOME: "/usr/src", XDG_RUNTIME_DIR: "/usr/src/run" });
    expect(env.XDG_CACHE_HOME).not.toContain("/usr/src");
    expect(await host.files.readText("/run/l/v/libvirt/qemu.conf")).toContain("clear_emulator_capabilities = 0\n");
  });
});
