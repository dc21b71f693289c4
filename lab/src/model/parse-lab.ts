/** The text of a lab file -> Topology. All problems are reported together, each with line, column and key. */
import { dirname } from "node:path";
import { isMap, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { z } from "zod";
import { checkFile, crossCheck, type Problem } from "./cross-check.js";
import { VnflabError } from "./error.js";
import { normalise, resolveIn } from "./normalise.js";
import { labJsonSchema, labSchema } from "./schema.js";
import { didYouMean } from "./suggest.js";
import type { Topology } from "./topology.js";

type Path = readonly PropertyKey[];

/** `file` is the absolute path of the text: for messages, and for the paths that the file names. */
export function parseLab(text: string, file: string): Topology {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors[0];
  if (syntax) throw invalid(file, [{ at: lines.linePos(syntax.pos[0]), path: [], message: syntax.message }]);
  const located = (problem: Problem) => ({
    ...problem,
    at: lines.linePos(findNode(document.contents, problem.path)?.range?.[0] ?? 0),
  });

  const parsed = labSchema.safeParse(document.toJS());
  if (!parsed.success) throw invalid(file, parsed.error.issues.flatMap(explain).map(located));
  const hidden = checkFile(parsed.data);
  if (hidden.length > 0) throw invalid(file, hidden.map(located));
  const topology = normalise(parsed.data, resolveIn(dirname(file)));
  const contradictions = crossCheck(parsed.data, topology);
  if (contradictions.length > 0) throw invalid(file, contradictions.map(located));
  return topology;
}

function invalid(file: string, problems: (Problem & { at: { line: number; col: number } })[]): VnflabError {
  const inOrder = problems.toSorted((a, b) => a.at.line - b.at.line || a.at.col - b.at.col);
  const lines = inOrder.map(({ at, path, message }) => {
    const key = path.length > 0 ? `${path.map(String).join(".")}: ` : "";
    return `${file}:${at.line}:${at.col}: ${key}${message}`;
  });
  return new VnflabError("VNF_LAB_INVALID", lines.join("\n"));
}

/** The node at a path, or its nearest ancestor that exists. For an unknown key: the key itself. */
function findNode(root: Node | null, path: Path): Node | null {
  let node: Node | null = root;
  for (const [depth, part] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(key) === String(part));
      if (!pair) return node;
      node = (depth === path.length - 1 ? pair.key : (pair.value ?? pair.key)) as Node;
    } else if (isSeq(node)) {
      node = (node.items[Number(part)] as Node | undefined) ?? node;
    } else {
      return node;
    }
  }
  return node;
}

function explain(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === "unrecognized_keys") {
    const allowed = allowedKeys(issue.path);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: `unknown key${didYouMean(key, allowed)}; allowed: ${allowed.join(", ")}`,
    }));
  }
  if (issue.code === "invalid_value") {
    const allowed = issue.values.map(String);
    return [{ path: issue.path, message: `must be one of ${allowed.join(", ")}` }];
  }
  if (issue.code === "invalid_key") {
    return [{ path: issue.path, message: issue.issues[0]?.message ?? issue.message }];
  }
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return [{ path: issue.path, message: missing ? "is required" : issue.message }];
}

interface JsonSchemaNode {
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly additionalProperties?: JsonSchemaNode;
}

function allowedKeys(path: Path): string[] {
  let node: JsonSchemaNode | undefined = labJsonSchema() as JsonSchemaNode;
  for (const part of path) node = node?.properties?.[String(part)] ?? node?.additionalProperties;
  return Object.keys(node?.properties ?? {});
}
