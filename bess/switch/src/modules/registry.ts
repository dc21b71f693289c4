// SPDX-License-Identifier: BSD-3-Clause
// A new class: its file, and one line here.
import { missing } from "../errors.js";
import { merge, replicate, sink, source } from "./flow.js";
import { hashLb } from "./hash-lb.js";
import { impair } from "./impair.js";
import { l2Forward } from "./l2-forward.js";
import { l2Switch } from "./l2-switch.js";
import type { ModuleClass } from "./module-class.js";
import { portInc, portOut, queueInc, queueOut } from "./ports.js";

const CLASSES: readonly ModuleClass[] = [
  hashLb,
  impair,
  l2Forward,
  l2Switch,
  merge,
  portInc,
  portOut,
  queueInc,
  queueOut,
  replicate,
  sink,
  source,
];

const byName = new Map(CLASSES.map((cls) => [cls.name, cls]));

export const classNames = [...byName.keys()];

export function moduleClass(name: string): ModuleClass {
  const found = byName.get(name);
  if (found === undefined) throw missing(`No mclass '${name}' found`);
  return found;
}
