/**
 * Another host as the place of a lab, reached by ssh: the helper (far/) runs there, from programs that are copied once.
 * Its libvirtd is one that the lab starts privately, or, with a libvirt URI that ends in /system, the one of that host.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { VnflabError } from "../../model/error.js";
import type { Place } from "../../model/topology.js";
import { type FarHost, HELPER, openFarHost } from "../far/far-host.js";
import { LazyExec, LazySockets, SplitFiles } from "../far/lazy.js";
import { SharedConnection } from "../far/shared-connection.js";
import type { Host } from "../host.js";
import type { LabHost, LabNeeds } from "../lab-host.js";
import type { LabPaths, Layout } from "../layout.js";
import { findMarkedProcesses, stopProcesses } from "../marked-processes.js";
import { SshConnection } from "./connection.js";
import { resolveDestination } from "./destination.js";
import { installTools, nodeIn } from "./tools.js";

type SshPlace = Extract<Place, { kind: "ssh" }>;

const STOP_GRACE_MS = 3000;
/** Where libvirt's own packages put it. */
const SYSTEM_LIBVIRT = "qemu+unix:///system?socket=/var/run/libvirt/libvirt-sock";

interface Reached {
  readonly host: FarHost;
  readonly connection: SshConnection;
}

export class SshHost implements LabHost, AsyncDisposable {
  readonly exec: Host["exec"];
  readonly files: Host["files"];
  readonly sockets: Host["sockets"];
  readonly clock: Host["clock"];
  /** One connection for this process; a new one when it was lost. */
  private readonly reached = new SharedConnection<Reached>({
    open: () => this.open(),
    isLost: ({ host }) => host.isLost,
    close: async ({ host, connection }) => {
      await host[Symbol.asyncDispose]();
      connection.close();
    },
  });
  private known: FarHost | undefined;
  private tunnels = 0;
  private readonly tunnelFolder: string;

  constructor(
    private readonly near: Host,
    private readonly layout: Layout,
    private readonly place: SshPlace,
  ) {
    this.clock = near.clock;
    this.tunnelFolder = join(layout.runRoot, `ssh-${randomBytes(3).toString("hex")}`);
    const reach = async () => (await this.reach()).host;
    this.exec = new LazyExec(reach, () => this.absence());
    this.files = new SplitFiles(
      near.files,
      () => false,
      reach,
      () => this.absence(),
    );
    this.sockets = new LazySockets(reach, () => this.absence());
  }

  get env(): Host["env"] {
    const env = this.fact("env");
    return this.place.libvirtUri.endsWith("/system") ? { ...env, VNFLAB_LIBVIRT_URI: SYSTEM_LIBVIRT } : env;
  }

  get uid(): number {
    return this.fact("uid");
  }

  get node(): string {
    return this.fact("node");
  }

  get root(): string {
    return this.fact("root");
  }

  async connected(): Promise<void> {
    await this.reach();
  }

  async prepare({ folders }: LabNeeds): Promise<void> {
    await this.files.makeDirectory(folders.stateDir);
    await this.files.makeDirectory(folders.runDir, { mode: 0o700 });
  }

  async release({ stateDir, runDir }: LabPaths): Promise<void> {
    const { host } = await this.reach();
    const runRoot = runDir.slice(0, runDir.lastIndexOf("/"));
    const left = await findMarkedProcesses(host, runRoot);
    await stopProcesses(
      host,
      left.filter((process) => process.runDir === runDir),
      STOP_GRACE_MS,
    );
    await host.files.remove(runDir);
    await host.files.removeEmpty(runRoot);
    await host.files.remove(stateDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reached[Symbol.asyncDispose]();
    if (this.tunnels === 0) return;
    await this.near.files.remove(this.tunnelFolder);
    await this.near.files.removeEmpty(this.layout.runRoot);
  }

  private fact<K extends "env" | "uid" | "node" | "root">(key: K): Host[K] {
    if (!this.known)
      throw new VnflabError("VNF_INTERNAL", `${key} of ${this.place.destination} is asked for too early`);
    return this.known[key];
  }

  private absence(): VnflabError {
    return new VnflabError("VNF_PLACE_LOST", `${this.place.destination} cannot be reached`);
  }

  private async reach(): Promise<Reached> {
    const reached = await this.reached.get();
    if (!reached) throw this.absence();
    return reached;
  }

  private async open(): Promise<Reached> {
    const { near, place } = this;
    const connection = await SshConnection.open(near, await resolveDestination(near, place.destination));
    try {
      const folder = await installTools(connection, near, this.layout.cacheDir);
      const { stream, complaints } = await connection.stream([nodeIn(folder), `${folder}/${HELPER}`]);
      const host = await openFarHost(stream, {
        ...{ name: place.destination, complaints, clock: near.clock },
        terminal: (argv, options) => connection.runOnTerminal(argv, options),
        nextSocketPath: () => this.nextSocketPath(),
      });
      this.known = host;
      return { host, connection };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private async nextSocketPath(): Promise<string> {
    await this.near.files.makeDirectory(this.tunnelFolder, { mode: 0o700 });
    return join(this.tunnelFolder, String(this.tunnels++));
  }
}
