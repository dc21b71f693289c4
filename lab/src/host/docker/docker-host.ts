/**
 * A container as the place of a lab: one a lab, from the project's image, with the lab's folders at the same paths.
 *
 * Everything is done by the helper (far/), which this tree's own Node.js program runs inside: one for each vnflab that
 * looks, ended by the engine when that vnflab ends. The container has a process namespace of its own, so that removing
 * it removes whatever runs in it.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { VnflabError } from "../../model/error.js";
import { type FarHost, HELPER, openFarHost } from "../far/far-host.js";
import { LazyExec, SplitFiles } from "../far/lazy.js";
import { SharedConnection } from "../far/shared-connection.js";
import type { Host } from "../host.js";
import type { LabHost, LabNeeds } from "../lab-host.js";
import type { Layout } from "../layout.js";
import { type ContainerLimits, type ContainerPlan, containerLimits, containerOptions } from "./container-options.js";
import { engineAddress, engineError, isNotFound, isRootless, openDocker, withoutTimeLimit } from "./engine.js";
import { requireImage } from "./image.js";
import { removeContainer } from "./orphans.js";
import { isBelow, repositoryFolders, withRealPaths } from "./shared-folders.js";
import { helperStream, runOnTerminal } from "./streams.js";

const NODE = "/usr/bin/node";
const HUGEPAGES = "/dev/hugepages";
const DEVICES = ["/dev/kvm", "/dev/net/tun"];
/** The container has nothing to tidy up: what matters is on this host's disk. */
const IDLE = ["sleep", "infinity"];

export interface LabOfHost {
  readonly name: string;
  readonly stateDir: string;
  readonly runDir: string;
}

export class DockerHost implements LabHost, AsyncDisposable {
  readonly exec: Host["exec"];
  readonly files: Host["files"];
  readonly sockets: Host["sockets"];
  readonly clock: Host["clock"];
  readonly node = NODE;
  readonly root: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string>>;
  private readonly cacheDir: string;
  private docker: Promise<Docker> | undefined;
  /** One helper for this process; another one when it was lost and the container is still there. */
  private readonly helper = new SharedConnection<FarHost>({
    open: async () => {
      if (this.lab) return (await this.isRunning()) ? this.helperInLab() : undefined;
      return this.helperAlone();
    },
    isLost: (host) => host.isLost,
    close: (host) => host[Symbol.asyncDispose](),
  });

  constructor(
    private readonly near: Host,
    private readonly layout: Layout,
    private readonly engine: string | undefined,
    /** Absent: to look at the place before there is a lab there. */
    private readonly lab?: LabOfHost,
  ) {
    this.root = near.root;
    this.clock = near.clock;
    // Sockets are files of this host; who listens on them does not matter.
    this.sockets = near.sockets;
    this.uid = isRootless(engineAddress(near.env, engine)) ? 0 : near.uid;
    // What QEMU can do in there is another matter than what it can do here.
    this.cacheDir = join(layout.cacheDir, "docker");
    this.env = {
      HOME: lab?.stateDir ?? "/tmp",
      ...{ VNFLAB_STATE: layout.stateRoot, VNFLAB_RUN: layout.runRoot, VNFLAB_CACHE: this.cacheDir },
    };
    const absence = () => this.absence();
    const shared = [layout.stateRoot, layout.runRoot, near.root];
    const isShared = (path: string) => shared.some((folder) => isBelow(path, folder));
    const reach = () => this.helper.get();
    this.exec = new LazyExec(reach, absence);
    this.files = new SplitFiles(near.files, isShared, reach, absence);
  }

  async prepare(needs: LabNeeds): Promise<void> {
    if (!this.lab) return;
    const docker = await this.engineItself();
    if (await this.isRunning()) return this.adjust(docker, needs);
    try {
      // One that does not run is a leftover.
      await removeContainer(docker, this.name);
      await this.near.files.write(this.mark, `${this.name}\n`);
      const container = await docker.createContainer(containerOptions(await this.plan(docker, this.lab, needs), IDLE));
      await container.start();
    } catch (error) {
      throw engineError(`start the container ${this.name}`, error);
    }
  }

  /** A machine more needs more memory, and CPUs that the container may not use yet. */
  private async adjust(docker: Docker, needs: LabNeeds): Promise<void> {
    const container = docker.getContainer(this.name);
    try {
      const { HostConfig: now } = await container.inspect();
      const wanted = await this.limits(docker, needs);
      if (now.CpusetCpus !== wanted.CpusetCpus || now.Memory !== wanted.Memory) await container.update(wanted);
    } catch (error) {
      throw engineError(`change the limits of the container ${this.name}`, error);
    }
  }

  private async limits(docker: Docker, needs: LabNeeds): Promise<ContainerLimits> {
    return containerLimits(needs, (await docker.info()).NCPU);
  }

  async release(): Promise<void> {
    await this[Symbol.asyncDispose]();
    // Where none was ever made, no engine needs to be asked.
    if ((await this.near.files.kind(this.mark)) === undefined) return;
    await removeContainer(await this.engineItself(), this.name);
    await this.near.files.remove(this.mark);
  }

  async connected(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.helper[Symbol.asyncDispose]();
  }

  private get name(): string {
    if (!this.lab) return `vnflab-look-${process.pid}`;
    // Labs of one name in two state folders are two labs; their run folders differ.
    return `vnflab-${this.lab.runDir.slice(this.lab.runDir.lastIndexOf("/") + 1)}`;
  }

  /** Written before the container is made, removed when it is gone. */
  private get mark(): string {
    return join(this.lab?.stateDir ?? this.cacheDir, "container");
  }

  private absence(): VnflabError {
    const lab = this.lab?.name ?? "";
    return new VnflabError("VNF_PLACE_LOST", `the container ${this.name} does not run`, {
      hint: `Run \`vnflab up\` again, or \`vnflab down ${lab}\`.`,
    });
  }

  private engineItself(): Promise<Docker> {
    this.docker ??= openDocker(this.near.env, this.engine);
    this.docker.catch(() => {
      this.docker = undefined;
    });
    return this.docker;
  }

  private async isRunning(): Promise<boolean> {
    if ((await this.near.files.kind(this.mark)) === undefined) return false;
    const docker = await this.engineItself();
    try {
      return (await docker.getContainer(this.name).inspect()).State.Running;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw engineError(`look for the container ${this.name}`, error);
    }
  }

  private async helperInLab(): Promise<FarHost> {
    const docker = await this.engineItself();
    const container = docker.getContainer(this.name);
    try {
      const attach = { AttachStdin: true, AttachStdout: true, AttachStderr: true };
      const exec = await container.exec({ Cmd: this.helperCommand(), ...attach });
      return await this.open(docker, container, withoutTimeLimit(await exec.start({ hijack: true, stdin: true })));
    } catch (error) {
      throw engineError(`run a program in the container ${this.name}`, error);
    }
  }

  /** In a container of its own, which the engine removes when this process ends, however it ends. */
  private async helperAlone(): Promise<FarHost> {
    const docker = await this.engineItself();
    const lab = { name: "", stateDir: this.layout.stateRoot, runDir: "" };
    try {
      const plan = await this.plan(docker, lab, undefined);
      const options = containerOptions(plan, this.helperCommand());
      const container = await docker.createContainer({
        ...options,
        ...{ AttachStdin: true, AttachStdout: true, AttachStderr: true, OpenStdin: true, StdinOnce: true },
        HostConfig: { ...options.HostConfig, AutoRemove: true },
      });
      const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
      await container.start();
      return await this.open(docker, container, withoutTimeLimit(stream) as never);
    } catch (error) {
      throw engineError("start a container", error);
    }
  }

  private helperCommand(): string[] {
    return [NODE, join(this.root, HELPER)];
  }

  private open(docker: Docker, container: Docker.Container, mixed: Parameters<typeof helperStream>[1]) {
    const { stream, complaints } = helperStream(docker, mixed);
    return openFarHost(stream, {
      ...{ name: `the container ${this.name}`, complaints, clock: this.near.clock },
      terminal: (argv, options) => runOnTerminal(container, argv, options),
      nextSocketPath: async () => this.absence().message,
    });
  }

  private async plan(docker: Docker, lab: LabOfHost, needs: LabNeeds | undefined): Promise<ContainerPlan> {
    const image = await requireImage(docker, this.near);
    await this.near.files.makeDirectory(this.cacheDir, { mode: 0o700 });
    const own = [this.cacheDir, ...(this.lab ? [lab.stateDir, lab.runDir] : [])];
    const hugepages = needs?.hugepages ? [HUGEPAGES] : [];
    const read = [...(await repositoryFolders(this.near)), ...(await withRealPaths(needs?.readOnlyFolders ?? []))];
    const devices = await this.devices();
    return {
      ...{ name: this.name, image, lab: lab.name, stateDir: lab.stateDir, env: this.env },
      user: this.uid === 0 ? "0:0" : `${this.uid}:${await this.groupId()}`,
      groups: this.uid === 0 ? [] : devices.flatMap(({ group }) => (group === 0 ? [] : [group])),
      folders: [
        ...[...own, ...hugepages].map((path) => ({ path, readOnly: false })),
        ...read.map((path) => ({ path, readOnly: true })),
      ],
      devices: devices.map(({ path }) => path),
      ...(needs ? { limits: await this.limits(docker, needs) } : {}),
    };
  }

  /** Whether KVM is of use is found out in there; here it is only whether there is something to find out. */
  private async devices(): Promise<{ path: string; group: number }[]> {
    const found = await Promise.all(
      DEVICES.map(async (path) => {
        const device = await stat(path).catch(() => undefined);
        return device?.isCharacterDevice() ? [{ path, group: device.gid }] : [];
      }),
    );
    return found.flat();
  }

  private async groupId(): Promise<number> {
    return Number((await this.near.exec.run(["id", "-g"])).stdout);
  }
}
