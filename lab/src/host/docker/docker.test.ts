import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeHost } from "../fake-host.js";
import { resolveLayout } from "../layout.js";
import { type ContainerPlan, containerLimits, containerOptions } from "./container-options.js";
import { DockerHost } from "./docker-host.js";
import { engineAddress, openDocker } from "./engine.js";
import { requireImage } from "./image.js";

let folder: string;
let socket: string;
let engine: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "vnflab-docker-"));
  socket = join(folder, "docker.sock");
});
afterEach(async () => {
  engine?.closeAllConnections();
  engine?.close();
  engine = undefined;
  await rm(folder, { recursive: true });
});

/** An engine that knows these answers; everything else is not found. */
async function engineWith(answers: Readonly<Record<string, unknown>>): Promise<string[]> {
  const asked: string[] = [];
  const all: Readonly<Record<string, unknown>> = {
    "GET /version": { Version: "20.10", ApiVersion: "1.41" },
    ...answers,
  };
  engine = createServer((request, response) => {
    const what = `${request.method} ${request.url?.split("?")[0]}`;
    asked.push(what);
    response.writeHead(what in all ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(all[what] ?? { message: `no ${what}` }));
  });
  await new Promise<void>((resolve) => engine?.listen(socket, resolve));
  return asked;
}

describe("the engine", () => {
  it("is the one of the lab file, of the environment, or Docker's own", () => {
    expect(engineAddress({ DOCKER_HOST: "unix:///a" }, "unix:///b")).toBe("unix:///b");
    expect(engineAddress({ DOCKER_HOST: "unix:///a" })).toBe("unix:///a");
    expect(engineAddress({})).toBe("unix:///var/run/docker.sock");
  });

  it("must answer, be new enough, and be on this host", async () => {
    const address = `unix://${socket}`;
    await expect(openDocker({}, address)).rejects.toMatchObject({ code: "VNF_DOCKER_ENGINE", message: /ENOENT/ });
    await engineWith({ "GET /version": { Version: "18.09", ApiVersion: "1.39" } });
    await expect(openDocker({}, address)).rejects.toMatchObject({ message: /too old: 18.09, its API is 1.39/ });
    await expect(openDocker({}, "tcp://1.2.3.4:2375")).rejects.toMatchObject({ code: "VNF_PLACE_UNSUPPORTED" });
  });
});

describe("the image", () => {
  it("must be built, and in the engine or in a file to import", async () => {
    const host = fakeHost();
    await engineWith({});
    const docker = await openDocker({}, `unix://${socket}`);
    await expect(requireImage(docker, host)).rejects.toMatchObject({ code: "VNF_DOCKER_IMAGE", message: /not built/ });
    await host.files.write("/repo/build/images/host/current/manifest.json", '{"schemaVersion":1,"tag":"abc"}');
    await expect(requireImage(docker, host)).rejects.toMatchObject({
      code: "VNF_DOCKER_IMAGE",
      message: /does not have vnflab-host:abc, and there is no .*rootfs.tar/,
    });
  });

  it("is used as it is when the engine has it", async () => {
    const host = fakeHost();
    await engineWith({ "GET /images/vnflab-host:abc/json": { Id: "1" } });
    await host.files.write("/repo/build/images/host/current/manifest.json", '{"schemaVersion":1,"tag":"abc"}');
    expect(await requireImage(await openDocker({}, `unix://${socket}`), host)).toBe("vnflab-host:abc");
  });
});

describe("the container", () => {
  const plan: ContainerPlan = {
    ...{
      name: "vnflab-l-1",
      image: "vnflab-host:abc",
      lab: "l",
      stateDir: "/state/l",
      user: "1000:1000",
      env: { A: "b" },
    },
    ...{ groups: [104], devices: ["/dev/kvm"], limits: containerLimits({ cores: [2, 3], memoryMib: 3 }, 8) },
    folders: [{ path: "/repo", readOnly: true }],
  };

  it("carries the lab's marks and gets no more than it needs", () => {
    const options = containerOptions(plan, ["sleep"]);
    expect(options.Labels).toEqual({ "vnflab.lab": "l", "vnflab.state": "/state/l" });
    expect(options.HostConfig).toMatchObject({
      ...{ NetworkMode: "none", CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"], GroupAdd: ["104"] },
      ...{ CpusetCpus: "2,3", Memory: 3 * 2 ** 20, MemorySwap: 6 * 2 ** 20 },
      Mounts: [{ Source: "/repo", Target: "/repo", ReadOnly: true }],
    });
    expect(options.HostConfig?.CapAdd).toBeUndefined();
    expect(options.HostConfig?.Privileged).toBeUndefined();
  });

  it("may use every processor when the plan names none", () => {
    expect(containerLimits({ cores: undefined, memoryMib: 1 }, 8).CpusetCpus).toBe("0-7");
  });

  it("of root may make a user namespace, and nothing else", () => {
    const { HostConfig } = containerOptions({ ...plan, user: "0:0" }, ["sleep"]);
    expect(HostConfig).toMatchObject({ CapAdd: ["SETFCAP"], SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] });
  });

  it("gets more when a machine is added, and is left alone when nothing changes", async () => {
    const near = fakeHost();
    const layout = await resolveLayout(near);
    const paths = layout.lab("l");
    const container = `/containers/vnflab-${paths.runDir.split("/").at(-1)}`;
    const asked = await engineWith({
      "GET /info": { NCPU: 4 },
      [`GET ${container}/json`]: { State: { Running: true }, HostConfig: { CpusetCpus: "0-3", Memory: 2 ** 30 } },
      [`POST ${container}/update`]: {},
    });
    await near.files.write(`${paths.stateDir}/container`, "x");
    const host = new DockerHost(near, layout, `unix://${socket}`, { name: "l", ...paths });
    const needs = { folders: paths, cores: undefined, memoryMib: 1024, hugepages: false, readOnlyFolders: [] };
    await host.prepare(needs);
    expect(asked.filter((what) => what.startsWith("POST"))).toEqual([]);
    await host.prepare({ ...needs, memoryMib: 2048 });
    await host.prepare({ ...needs, cores: [0, 1] });
    expect(asked.filter((what) => what.startsWith("POST"))).toEqual(Array(2).fill(`POST ${container}/update`));
  });

  it("that has gone is a place where nothing lives and nothing can be done", async () => {
    const near = fakeHost();
    const asked = await engineWith({});
    const layout = await resolveLayout(near);
    const host = new DockerHost(near, layout, `unix://${socket}`, { name: "l", ...layout.lab("l") });
    // Never made: no engine is asked.
    await host.release();
    expect(asked).toEqual([]);
    await near.files.write(`${layout.lab("l").stateDir}/container`, "x");
    expect(await host.exec.isAlive({ pid: 1, startTicks: 1 })).toBe(false);
    expect(await host.files.readText("/proc/1/stat")).toBeUndefined();
    await expect(host.exec.run(["true"])).rejects.toMatchObject({ code: "VNF_PLACE_LOST", message: /does not run/ });
    await near.files.write(`${layout.lab("l").stateDir}/console.log`, "last words\n");
    expect(await host.files.tail(`${layout.lab("l").stateDir}/console.log`, 1)).toEqual(["last words"]);
    await host.release();
    expect(asked.at(-1)).toMatch(/^DELETE \/containers\/vnflab-l-/);
  });
});
