/** The real switch, through the project's own client and pipeline builder. */
import { BessClient, type Pipeline } from "@vnflab/bess-client";
import { forward } from "@vnflab/bess-pipelines";
import type { PortState, SwitchPortSpec } from "../switch-driver.js";
import type { BessConnector, BessControl } from "./bess-control.js";

export const connectBess: BessConnector = async (address, options) =>
  new BessClientControl(await BessClient.connect(address, options));

/** The ports of each link see each other and nobody else. */
export function forwardLinks(ports: readonly SwitchPortSpec[], worker: { wid: number; core: number }): Pipeline {
  const links = [...new Set(ports.map(({ link }) => link))];
  const pipelines = links.map((name) => {
    const own = ports.filter(({ link }) => link === name);
    return forward(
      own.map(({ name, socket, queues, macs }) => ({ name, socket, queues, macs: [...macs] })),
      { broadcast: "others" },
    );
  });
  return {
    workers: [worker],
    ports: pipelines.flatMap((pipeline) => pipeline.ports),
    modules: pipelines.flatMap((pipeline) => pipeline.modules),
    connections: pipelines.flatMap((pipeline) => pipeline.connections),
    commands: pipelines.flatMap((pipeline) => pipeline.commands),
  };
}

class BessClientControl implements BessControl {
  constructor(private readonly client: BessClient) {}

  async version(): Promise<string> {
    return (await this.client.getVersion()).version;
  }

  async forward(ports: readonly SwitchPortSpec[], core: number): Promise<void> {
    const pipeline = forwardLinks(ports, { wid: 0, core });
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

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}
