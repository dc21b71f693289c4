// SPDX-License-Identifier: BSD-3-Clause
// A new class: its file, and one line here.
import { missing } from "../errors.js";
import { pcapNg, tcpDump } from "./capture.js";
import type { HookClass } from "./hook-class.js";
import { track } from "./track.js";

const CLASSES: readonly HookClass[] = [track, tcpDump, pcapNg];

const byName = new Map(CLASSES.map((cls) => [cls.name, cls]));

export const hookClassNames = [...byName.keys()];

export function hookClass(name: string): HookClass {
  const found = byName.get(name);
  if (found === undefined) throw missing(`No such gate hook: ${name}`);
  return found;
}
