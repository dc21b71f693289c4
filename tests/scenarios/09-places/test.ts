/** The same lab at other places: in a container, on another host, as an ordinary user. `--set` alone says where. */
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DockerEngine } from "../../support/docker-engine.js";
import { eachTestLeavesNothing, FOR_VMS } from "../../support/lab-hooks.js";
import { failures, parseReport } from "../../support/report.js";
import { SshServer } from "../../support/ssh-server.js";
import { missing, REPOSITORY, Vnflab } from "../../support/vnflab.js";

const VMS = "lab/examples/two-vms/lab.yaml";
const PROCESSES = "lab/examples/two-processes/lab.yaml";
const NOBODY = 65534;
/** Each of both directions: what of the suites tells whether TCP and UDP get through there. */
const CASES = ["tcp.link", "tcp.bulk", "tcp.bulk-reverse", "tcp.http", "udp.echo"];

const notBuilt = missing(FOR_VMS);
const notRoot = process.geteuid?.() === 0 ? undefined : "only root starts servers of its own";
const programMissing = (path: string) => (existsSync(path) ? undefined : `not installed: ${path}`);

async function passes(vnflab: Vnflab, lab: string): Promise<void> {
  const { exitCode, stdout, stderr } = await vnflab.command("test", lab, "--quick", "--json", "--only", ...CASES);
  const report = parseReport(stdout || "{}");
  expect(failures(report), stderr).toEqual([]);
  expect(report, stderr).toMatchObject({ passed: 2 * CASES.length, failed: 0, skipped: 0, blocked: 0 });
  expect(exitCode, stderr).toBe(0);
}

/** A command runs in the guest: its output, and its own exit code. */
async function runsCommands(vnflab: Vnflab, lab: string, machine: string): Promise<void> {
  const argv = ["sh", "-c", "cat /proc/sys/kernel/hostname; exit 7"];
  const run = await vnflab.command("exec", lab, machine, "--", ...argv);
  expect(run).toMatchObject({ exitCode: 7, stdout: `${machine}\n` });
}

const noDocker = notBuilt ?? notRoot ?? programMissing("/usr/sbin/dockerd");

describe.skipIf(noDocker)(`in a container${noDocker ? ` (${noDocker})` : ""}`, () => {
  const vnflab = new Vnflab();
  let engine: DockerEngine | undefined;
  let refused = "";

  /** The one that vnflab only looks around in is removed by the engine, a moment after vnflab has ended. */
  const containers = (count: number) => expect.poll(() => engine?.containers()).toHaveLength(count);

  beforeAll(async () => {
    vnflab.make();
    engine = await DockerEngine.start(join(vnflab.folder, "docker")).catch((error: Error) => {
      refused = error.message;
      return undefined;
    });
    // Also for `gc`, which has no lab file to name an engine.
    if (engine) process.env.DOCKER_HOST = engine.address;
    if (engine) await vnflab.must("image", "build", "host");
  });
  afterEach(async () => {
    if (!engine) return;
    await vnflab.downAll();
    await containers(0);
    expect(vnflab.leftovers()).toEqual([]);
  });
  afterAll(async () => {
    await engine?.stop();
    delete process.env.DOCKER_HOST;
    vnflab.remove();
  });

  it("two VMs come up, run commands and pass their suites, and nothing is left", async ({ skip }) => {
    if (!engine) return skip(refused);
    await vnflab.must("up", VMS, "--set", `host={docker: "${engine.address}"}`);
    await containers(1);
    await runsCommands(vnflab, "two-vms", "vm2");
    expect((await vnflab.must("logs", "two-vms", "vm1")).stdout).toContain("vnflab: ready");
    await passes(vnflab, "two-vms");
    await vnflab.must("down", "two-vms");
    await containers(0);
  });

  it("a container that a killed command left is found by gc", async ({ skip }) => {
    if (!engine) return skip(refused);
    await vnflab.signalAt("connect a port for each", "SIGKILL", "up", PROCESSES, "--set", "host=docker");
    await containers(1);
    await vnflab.must("gc");
    await containers(0);
  });

  it("the images are listed, and those of no use are pruned", async ({ skip }) => {
    if (!engine) return skip(refused);
    const { images } = await vnflab.json<{ images: { name: string; current: boolean }[] }>("image", "ls");
    expect(images.filter(({ name, current }) => current && name.startsWith("vnflab-host:"))).toHaveLength(1);
  });
});

const noSsh = notBuilt ?? notRoot ?? programMissing("/usr/sbin/sshd");

describe.skipIf(noSsh)(`on another host${noSsh ? ` (${noSsh})` : ""}`, () => {
  const vnflab = new Vnflab();
  const there = join(vnflab.folder, "there");
  let server: SshServer;

  eachTestLeavesNothing(vnflab);
  beforeAll(async () => {
    const env = {
      VNFLAB_STATE: join(there, "state"),
      VNFLAB_RUN: join(vnflab.folder, "r"),
      XDG_CACHE_HOME: join(there, "cache"),
    };
    server = await SshServer.start(join(vnflab.folder, "ssh"), env);
    process.env.VNFLAB_SSH_CONFIG = server.config;
  });
  afterAll(async () => {
    delete process.env.VNFLAB_SSH_CONFIG;
    await server?.stop();
  });

  it("two VMs come up, run commands and pass their suites, and nothing of them is left there", async () => {
    await vnflab.must("up", VMS, "--set", "host=ssh://there");
    await runsCommands(vnflab, "two-vms", "vm2");
    await passes(vnflab, "two-vms");
    await vnflab.must("down", "two-vms");
    expect(existsSync(join(vnflab.folder, "r"))).toBe(false);
    expect(readdirSync(join(there, "state", "labs"))).toEqual([]);
  });
});

/** Other people's folders may be closed to an ordinary user. */
function unreadable(): string | undefined {
  const as = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
  const { status } = spawnSync("setpriv", [...as, "test", "-r", join(REPOSITORY, "package.json")]);
  return status === 0 ? undefined : `user ${NOBODY} cannot read ${REPOSITORY}`;
}

const noUser = notBuilt ?? notRoot ?? unreadable();

describe.skipIf(noUser)(`as an ordinary user${noUser ? ` (${noUser})` : ""}`, () => {
  const vnflab = new Vnflab({ uid: NOBODY });
  eachTestLeavesNothing(vnflab);
  beforeAll(() => chownSync(vnflab.folder, NOBODY, NOBODY));

  it("two VMs pass their suites, and nothing is left", async () => {
    await vnflab.must("up", VMS);
    await passes(vnflab, "two-vms");
    await vnflab.must("down", "two-vms");
  });
});
