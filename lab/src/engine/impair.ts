/** What a link of a running lab does to frames: asked and changed. */
import type { LinkState } from "../drivers/switch-driver.js";
import { VnflabError } from "../model/error.js";
import { didYouMean } from "../model/suggest.js";
import type { ImpairModel } from "../model/topology.js";
import { impairedLink } from "../plan/keep-impairments.js";
import type { EngineContext } from "./context.js";
import { lockLab } from "./down.js";
import { type LabRecord, requireRecord, withSwitch, writeRecord } from "./record.js";

export type { LinkState };

export async function linkState(context: EngineContext, lab: string, link: string): Promise<LinkState> {
  const { switch: spec } = await recordWithLink(context, lab, link);
  return context.switchDriver(spec).linkState(spec, link);
}

/**
 * The whole of it anew; absent: nothing any more. The seed is the lab's when the change does not say one. The record
 * keeps it, so that a switch that is started anew does the same.
 */
export async function impairLink(
  context: EngineContext,
  lab: string,
  link: string,
  impair: (Omit<ImpairModel, "seed"> & { readonly seed?: number }) | undefined,
): Promise<LinkState> {
  await using _lock = await lockLab(context, lab, "impair");
  const record = await recordWithLink(context, lab, link);
  const driver = context.switchDriver(record.switch);
  const seed = impair?.seed ?? record.deployment.links.find(({ name }) => name === link)?.impair?.seed ?? 1;
  const wanted = impair && { ...impair, seed };
  await driver.impair(record.switch, link, wanted);
  const links = record.switch.links.map((one) => (one.name === link ? impairedLink(one, wanted) : one));
  await writeRecord(context.host.files, withSwitch(record, { ...record.switch, links }));
  return driver.linkState(record.switch, link);
}

async function recordWithLink(context: EngineContext, lab: string, link: string): Promise<LabRecord> {
  const record = await requireRecord(context.host.files, context.layout, lab);
  const names = record.switch.links.map(({ name }) => name);
  if (names.includes(link)) return record;
  const message = `lab "${lab}" has no link "${link}"${didYouMean(link, names)}; it has ${names.join(", ")}`;
  throw new VnflabError("VNF_LAB_UNKNOWN", message);
}
