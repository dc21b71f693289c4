/** `--set machines.vm1.cpus=2` and its twin in the environment: a key of the lab file, given from outside. */
import { parse as parseYaml } from "yaml";
import { VnflabError } from "./error.js";
import { childOf, keysOf, type SchemaNode, schemaAt } from "./lab-schema-tree.js";
import { isMapValue, withValue } from "./merge.js";
import { didYouMean } from "./suggest.js";

export interface Setting {
  readonly path: readonly string[];
  readonly text: string;
  /** For messages: the option or the variable, with its value. */
  readonly origin: string;
}

const VARIABLE = "VNFLAB_SET_";

/** Throws VNF_USAGE for what is not KEY=VALUE. */
export function parseSetting(option: string): Setting {
  const match = /^([^=\s.]+(?:\.[^=\s.]+)*)=(.*)$/s.exec(option);
  if (!match) {
    throw new VnflabError("VNF_USAGE", `--set ${option}: not KEY=VALUE`, {
      hint: "Write --set machines.vm1.cpus=2, with the keys of the lab file joined by dots.",
    });
  }
  return { path: (match[1] ?? "").split("."), text: match[2] ?? "", origin: `--set ${option}` };
}

/**
 * `VNFLAB_SET_MACHINES__VM1__CPUS=2`: lower case, two underscores for a dot, one for a hyphen, except in a key of
 * stack.conf, whose underscores stay.
 */
export function environmentSettings(env: Readonly<Record<string, string | undefined>>): Setting[] {
  return Object.entries(env)
    .filter((entry): entry is [string, string] => entry[0].startsWith(VARIABLE) && entry[1] !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => {
      const parts = name.slice(VARIABLE.length).toLowerCase().split("__");
      const path = parts.map((part, index) => (parts[index - 1] === "config" ? part : part.replaceAll("_", "-")));
      return { path, text, origin: `${name}=${text}` };
    });
}

/** The lab's value with the setting in it. Throws VNF_LAB_INVALID, naming the setting, when it has no place there. */
export function applySetting(value: unknown, setting: Setting): unknown {
  const node = requireKey(value, setting);
  return withValue(value, setting.path, typed(node, setting));
}

/** The schema of the key, having checked that all names on the way are known. */
function requireKey(value: unknown, setting: Setting): SchemaNode {
  let node = schemaAt([]) as SchemaNode;
  let inside = value;
  for (const [depth, key] of setting.path.entries()) {
    const above = setting.path.slice(0, depth).join(".");
    const child = childOf(node, key);
    if (!child) throw refuse(setting, noSuchKey(key, above, node));
    // A name that the user has chosen must be there already: a new machine by a slip of the pen helps nobody.
    if (!node.properties && isContainer(child) && !has(inside, key)) {
      throw refuse(setting, noSuchName(key, above, inside));
    }
    inside = has(inside, key) ? (inside as Record<string, unknown>)[key] : undefined;
    node = child;
  }
  return node;
}

function noSuchKey(key: string, above: string, node: SchemaNode): string {
  const allowed = keysOf(node);
  if (allowed.length === 0) return `${above} is a value, there is no ${key} in it`;
  return `unknown key ${key}${didYouMean(key, allowed)}; allowed: ${allowed.join(", ")}`;
}

function noSuchName(key: string, above: string, inside: unknown): string {
  const names = isMapValue(inside) || Array.isArray(inside) ? Object.keys(inside) : [];
  const there = names.length === 0 ? "there are none" : `there are ${names.join(", ")}`;
  return `there is no ${key} in ${above}${didYouMean(key, names)}; ${there}`;
}

function isContainer(node: SchemaNode): boolean {
  return node.type === "object" || node.type === "array";
}

function has(value: unknown, key: string): boolean {
  return (isMapValue(value) || Array.isArray(value)) && Object.hasOwn(value, key);
}

/** The text as what the schema wants at this key. */
function typed(node: SchemaNode, setting: Setting): unknown {
  const { text } = setting;
  const types = new Set([node, ...(node.anyOf ?? [])].map(({ type }) => type));
  if (text !== "" && Number.isFinite(Number(text)) && (types.has("integer") || types.has("number")))
    return Number(text);
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  const structured = types.has("object") || types.has("array");
  if (structured && (/^\s*[{[]/.test(text) || !types.has("string"))) return yamlOf(setting);
  if (types.has("string")) return text;
  throw refuse(setting, types.has("boolean") ? "must be true or false" : "must be a number");
}

function yamlOf(setting: Setting): unknown {
  try {
    return parseYaml(setting.text, { prettyErrors: false });
  } catch (error) {
    throw refuse(setting, error instanceof Error ? error.message : String(error));
  }
}

function refuse({ origin }: Setting, message: string): VnflabError {
  return new VnflabError("VNF_LAB_INVALID", `${origin}: ${message}`);
}
