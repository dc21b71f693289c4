/** What is wrong with a lab file or an experiment, and what the schema's checker says, in our words. */
import type { z } from "zod";
import { keysOf, type SchemaNode, schemaAt } from "./lab-schema-tree.js";
import { didYouMean } from "./suggest.js";

export type Path = readonly PropertyKey[];

export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** A problem with its place. */
export interface Located extends Problem {
  readonly file: string;
  /** In the file; absent: the problem is not one of a file. */
  readonly at?: { readonly line: number; readonly col: number };
}

/** One line each, in the order of the file. */
export function problemLines(problems: readonly Located[]): string {
  return problems
    .toSorted((a, b) => {
      if (!a.at || !b.at || a.file !== b.file) return 0;
      return a.at.line - b.at.line || a.at.col - b.at.col;
    })
    .map(({ file, at, path, message }) => {
      const where = at ? `${file}:${at.line}:${at.col}` : file;
      return `${where}: ${path.length > 0 ? `${path.map(String).join(".")}: ` : ""}${message}`;
    })
    .join("\n");
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

/** `root`: the schema that the issue is about; absent: the lab file's. */
export function explainIssue(issue: z.core.$ZodIssue, root?: SchemaNode): Problem[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return unknownKeys(issue.path, issue.keys, keysOf(schemaAt(issue.path, root)));
    case "invalid_value":
      return [{ path: issue.path, message: `must be one of ${issue.values.map(String).join(", ")}` }];
    case "invalid_key":
      return [{ path: issue.path, message: issue.issues[0]?.message ?? issue.message }];
    case "invalid_type":
      return [{ path: issue.path, message: wrongType(issue.expected, issue.message) }];
    case "too_small":
      return [
        {
          path: issue.path,
          message: bound(
            issue,
            `must be ${issue.inclusive ? `${issue.minimum} or more` : `more than ${issue.minimum}`}`,
          ),
        },
      ];
    case "too_big":
      return [{ path: issue.path, message: bound(issue, `must be ${issue.maximum} or less`) }];
    default:
      return [{ path: issue.path, message: issue.message }];
  }
}

/** Checks of our own carry their own words; what zod says of numbers is said more plainly. */
function bound({ message, origin }: { message: string; origin: string }, plain: string): string {
  return (origin === "number" || origin === "int") && message.startsWith("Too ") ? plain : message;
}

function wrongType(expected: string, message: string): string {
  const received = /received (\w+)$/.exec(message)?.[1] ?? "";
  if (received === "") return message;
  if (received === "undefined") return "is required";
  if (expected === "int") return "must be a whole number";
  const name = (type: string) => TYPE_NAMES[type] ?? type;
  return `must be ${name(expected)}, not ${received === "null" ? "empty" : name(received)}`;
}

function unknownKeys(path: Path, keys: readonly string[], allowed: readonly string[]): Problem[] {
  return keys.map((key) => ({
    path: [...path, key],
    message: `unknown key${didYouMean(key, allowed)}; allowed: ${allowed.join(", ")}`,
  }));
}
