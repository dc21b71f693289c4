/** The real switch, through the project's own client and pipeline builder. */
import { BessClient } from "@vnflab/bess-client";
import { forward } from "@vnflab/bess-pipelines";
import type { PortState, SwitchPortSpec } from "../switch-driver.js";
import type { BessConnector, BessControl } from "./bess-control.js";

export const connectBess: BessConnector = async (address, options) =>
  new BessClientControl(await BessClient.connect(address, options));

class BessClientControl implements BessControl {
  constructor(private readonly client: BessClient) {}

  async version(): Promise<string> {
    return (await this.client.getVersion()).version;
  }

  async forward(ports: readonly SwitchPortSpec[], core: number): Promise<void> {
    const all = ports.map(({ macs, ...port }) => ({ ...port, macs: [...macs] }));
    await this.client.apply(forward(all, { broadcast: "others", worker: { wid: 0, core } }));
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
