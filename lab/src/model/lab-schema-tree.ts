/** A JSON Schema as a tree to walk: which keys are allowed at a path, and of what type a value is. */
import { labJsonSchema } from "./schema.js";

export interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Of a map whose keys the user chooses. */
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

let root: SchemaNode | undefined;

/** Of the lab file. */
function labRoot(): SchemaNode {
  root ??= labJsonSchema() as SchemaNode;
  return root;
}

export function childOf(node: SchemaNode, key: PropertyKey): SchemaNode | undefined {
  const own = node.properties;
  if (own && Object.hasOwn(own, String(key))) return own[String(key)];
  if (node.items && /^\d+$/.test(String(key))) return node.items;
  if (typeof node.additionalProperties === "object") return node.additionalProperties;
  return node.anyOf?.map((choice) => childOf(choice, key)).find((child) => child !== undefined);
}

export function schemaAt(path: readonly PropertyKey[], root: SchemaNode = labRoot()): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const part of path) node = node && childOf(node, part);
  return node;
}

export function keysOf(node: SchemaNode | undefined): string[] {
  return Object.keys(node?.properties ?? {});
}
