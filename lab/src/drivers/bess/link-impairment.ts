/** The Impair modules of a link's ports: one configuration for the link, counters of each port. */
import { type BessClient, type MessageRead, packArgument, unpack } from "@vnflab/bess-client";
import { impairMessage, impairModule, SEED_STEP } from "@vnflab/bess-pipelines";
import type { ImpairModel } from "../../model/topology.js";
import type { LinkState, PortImpairment } from "../switch-driver.js";

export async function impairPorts(
  client: BessClient,
  ports: readonly string[],
  impair: ImpairModel | undefined,
): Promise<void> {
  for (const [index, port] of ports.entries()) {
    const value = { impair: impairMessage(impair ?? {}, index) };
    const arg = packArgument({ type: "ImpairCommandSetArg", value });
    await client.moduleCommand({ name: impairModule(port), cmd: "set", arg });
  }
}

export async function impairmentOfLink(client: BessClient, ports: readonly string[]): Promise<Omit<LinkState, "link">> {
  const replies = await Promise.all(
    ports.map(async (port) => {
      const arg = packArgument({ type: "ImpairCommandGetArg", value: {} });
      const { data } = await client.moduleCommand({ name: impairModule(port), cmd: "get", arg });
      return { port, reply: unpack("ImpairCommandGetResponse", data) };
    }),
  );
  const impair = modelOf(replies[0]?.reply.impair ?? null);
  return { ports: replies.map(({ port, reply }) => countersOf(port, reply)), ...(impair ? { impair } : {}) };
}

/** The first port's; each has the same but for its seed, which is the link's for the first. */
function modelOf(arg: MessageRead<"ImpairArg"> | null): ImpairModel | undefined {
  if (arg === null) return undefined;
  const { delay_ns, jitter_ns, loss, duplicate, reorder, rate_bps, seed } = arg;
  if (delay_ns + jitter_ns + loss + duplicate + rate_bps === 0) return undefined;
  return {
    ...{ delayUs: delay_ns / 1000, jitterUs: jitter_ns / 1000, loss, duplicate, reorder },
    ...(rate_bps > 0 ? { rateBps: rate_bps } : {}),
    seed: Math.floor(seed / SEED_STEP),
  };
}

function countersOf(port: string, reply: MessageRead<"ImpairCommandGetResponse">): PortImpairment {
  const { packets, lost, limited, delayed, duplicated, reordered, held, released } = reply;
  const lateUs = released > 0 ? reply.late_ns / released / 1000 : 0;
  const late = { lateUs, latestUs: reply.late_max_ns / 1000 };
  return { port, received: packets, lost, limited, delayed, duplicated, reordered, held, ...late };
}
