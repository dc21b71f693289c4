/** What `vnflab impair` has made of a link stays, also when its switch is started anew. Pure. */
import { isDeepStrictEqual } from "node:util";
import type { LinkModel } from "../model/topology.js";

export type ImpairedLink = Pick<LinkModel, "name" | "impair">;

export interface LinksBefore {
  /** As the lab file had them. */
  readonly asked: readonly ImpairedLink[];
  /** As they were at last. */
  readonly actual: readonly ImpairedLink[];
}

/** A link of which the lab file now says something else than before is as the file says. */
export function keepImpairments(links: readonly ImpairedLink[], before: LinksBefore): ImpairedLink[] {
  return links.map(({ name, impair }) => {
    const asked = before.asked.find((link) => link.name === name);
    const actual = before.actual.find((link) => link.name === name);
    const stays = asked !== undefined && actual !== undefined && isDeepStrictEqual(asked.impair, impair);
    return impairedLink(name, stays ? actual.impair : impair);
  });
}

/** With no key for what it does not do. */
export function impairedLink(name: string, impair: LinkModel["impair"]): ImpairedLink {
  return impair ? { name, impair } : { name };
}
