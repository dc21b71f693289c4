/** The real switch, through the project's own client and pipeline builder. */
import {
  addCapture,
  attach,
  BessClient,
  detach,
  freeWorker,
  markedNames,
  markPipeline,
  type Pipeline,
  removeCapture,
} from "@vnflab/bess-client";
import { segments } from "@vnflab/bess-pipelines";
import type { ImpairModel } from "../../model/topology.js";
import type { CapturePoint, PortState } from "../switch-driver.js";
import type { BessConnector, BessControl, Wiring } from "./bess-control.js";
import type { BessdControl } from "./bessd-control.js";
import { impairmentOfLink, impairPorts } from "./link-impairment.js";

export const connectBess = async (...[address, options]: Parameters<BessConnector>) =>
  new BessClientControl(await BessClient.connect(address, options));

/** The ports of each link see each other and nobody else. */
export function wire({ kind, links, ports, core }: Wiring): Pipeline {
  const used = links.map(({ name, spread, impair }) => ({
    ...{ name, spread },
    ports: ports
      .filter(({ link }) => link === name)
      .map(({ name, socket, queues, macs }) => ({ name, socket, queues, macs: [...macs] })),
    ...(impair ? { impair } : {}),
  }));
  return segments(
    used.filter((link) => link.ports.length > 0),
    { worker: { wid: 0, core }, ownModules: kind === "vportd" },
  );
}

class BessClientControl implements BessControl, BessdControl {
  constructor(private readonly client: BessClient) {}

  async version(): Promise<string> {
    return (await this.client.getVersion()).version;
  }

  async forward(wiring: Wiring): Promise<void> {
    const pipeline = wire(wiring);
    const there = (await this.client.listPorts()).ports;
    if (there.length === 0) return this.client.apply(pipeline);
    await this.client.apply(await this.clearFor(pipeline, there));
  }

  /**
   * What there still is to make on a switch that forwards already: ports that are as they should be stay, with the
   * machines that are attached to them. Frames wait in the ports' rings while nothing is joined.
   */
  private async clearFor(
    pipeline: Pipeline,
    there: readonly { readonly name: string; readonly num_inc_q: bigint | number | string }[],
  ): Promise<Pipeline> {
    const fits = (name: string, queues: number) =>
      pipeline.ports.some((wanted) => wanted.name === name && wanted.queues === queues);
    const stay = there.filter(({ name, num_inc_q }) => fits(name, Number(num_inc_q))).map(({ name }) => name);
    const { workers_status } = await this.client.listWorkers();
    await this.client.pauseAll();
    await this.client.resetModules();
    for (const { name } of there) if (!stay.includes(name)) await this.client.destroyPort({ name });
    return {
      ...pipeline,
      workers: pipeline.workers.filter(({ wid }) => !workers_status.some((worker) => Number(worker.wid) === wid)),
      ports: pipeline.ports.filter(({ name }) => !stay.includes(name)),
    };
  }

  impair(ports: readonly string[], impair: ImpairModel | undefined): Promise<void> {
    return impairPorts(this.client, ports, impair);
  }

  impairment(ports: readonly string[]) {
    return impairmentOfLink(this.client, ports);
  }

  async portState(name: string): Promise<PortState> {
    const [link, stats] = await Promise.all([this.client.getLinkStatus({ name }), this.client.getPortStats({ name })]);
    return {
      name,
      linkUp: link.link_up,
      received: Number(stats.inc?.packets ?? 0),
      sent: Number(stats.out?.packets ?? 0),
      dropped: Number(stats.out?.dropped ?? 0),
    };
  }

  async beginCapture(fifo: string, name: string, points: readonly CapturePoint[]): Promise<void> {
    await addCapture(this.client, { fifo, name, points });
  }

  async endCapture(name: string): Promise<void> {
    await removeCapture(this.client, name);
  }

  names(mark: string) {
    return markedNames(this.client, mark);
  }

  freeWorker(): Promise<number> {
    return freeWorker(this.client);
  }

  attach(mark: string, wiring: Wiring, wid: number): Promise<void> {
    return attach(this.client, markPipeline(mark, wire(wiring)), wid, wiring.core);
  }

  detach(mark: string, wid: number): Promise<void> {
    return detach(this.client, mark, wid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}
