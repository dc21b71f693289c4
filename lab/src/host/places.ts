/** From what a lab file calls a place to the Host that acts there; each is reached once a command. */
import { placeName } from "../model/place.js";
import type { Place } from "../model/topology.js";
import { DockerHost } from "./docker/docker-host.js";
import type { Host } from "./host.js";
import type { LabHost } from "./lab-host.js";
import type { Layout } from "./layout.js";
import { SshHost } from "./ssh/ssh-host.js";

export class Places implements AsyncDisposable {
  private readonly hosts = new Map<string, LabHost & Partial<AsyncDisposable>>();

  constructor(
    private readonly near: Host,
    private readonly layout: Layout,
  ) {}

  /** To look at a place before a lab is there. What it tells about itself can be read. */
  async at(place: Place): Promise<Host> {
    const host = this.known(place, undefined);
    await host.connected();
    return host;
  }

  /** Where a lab's machines and switch run. */
  of(place: Place, lab: string): LabHost {
    return this.known(place, lab);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of this.hosts.values()) await host[Symbol.asyncDispose]?.();
  }

  private known(place: Place, lab: string | undefined): LabHost {
    // One connection to another host serves all its labs.
    const key = place.kind === "ssh" ? placeName(place) : `${placeName(place)} ${lab ?? ""}`;
    const host = this.hosts.get(key) ?? this.make(place, lab);
    this.hosts.set(key, host);
    return host;
  }

  private make(place: Place, lab: string | undefined): LabHost & Partial<AsyncDisposable> {
    switch (place.kind) {
      case "local":
        return new LocalHost(this.near);
      case "docker": {
        const ofLab = lab === undefined ? undefined : { name: lab, ...this.layout.lab(lab) };
        return new DockerHost(this.near, this.layout, place.engine, ofLab);
      }
      case "ssh":
        return new SshHost(this.near, this.layout, place);
    }
  }
}

/** Nothing has to be made, and nothing removed, where vnflab itself is. */
class LocalHost implements LabHost {
  readonly exec: Host["exec"];
  readonly files: Host["files"];
  readonly clock: Host["clock"];
  readonly sockets: Host["sockets"];
  readonly env: Host["env"];
  readonly uid: number;
  readonly node: string;
  readonly root: string;

  constructor(host: Host) {
    ({ exec: this.exec, files: this.files, clock: this.clock, sockets: this.sockets } = host);
    ({ env: this.env, uid: this.uid, node: this.node, root: this.root } = host);
  }

  async prepare(): Promise<void> {}

  async release(): Promise<void> {}

  async connected(): Promise<void> {}
}
