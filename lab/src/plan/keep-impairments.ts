/** What `vnflab impair` has made of a link stays, also when its switch is started anew. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { LinkModel } from "../model/topology.js";

type ImpairedLink = Pick<LinkModel, "name" | "impair">;

export interface LinksBefore {
  /** As the lab file had them. */
  readonly asked: readonly ImpairedLink[];
  /** As they were at last. */
  readonly actual: readonly ImpairedLink[];
}

/** A link of which the lab file now says something else than before is as the file says. */
export function keepImpairments<Link extends ImpairedLink>(links: readonly Link[], before: LinksBefore): Link[] {
  return links.map((link) => {
    const { name, impair } = link;
    const asked = before.asked.find((other) => other.name === name);
    const actual = before.actual.find((other) => other.name === name);
    const stays = asked !== undefined && actual !== undefined && isDeepStrictEqual(asked.impair, impair);
    return impairedLink(link, stays ? actual.impair : impair);
  });
}

/** With no key for what it does not do. */
export function impairedLink<Link extends ImpairedLink>(link: Link, impair: LinkModel["impair"]): Link {
  const { impair: _, ...rest } = link;
  return { ...rest, ...(impair ? { impair } : {}) } as Link;
}
