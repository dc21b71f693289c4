/** One YAML file, of a lab or an experiment: its value, and where in it a key stands. */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml";
import type { Path } from "./problem.js";

/** How often aliases may be resolved: room for every honest use, none for a few lines that grow to gigabytes. */
const MAX_ALIASES = 1000;

/** In place of words that are meant for programmers. */
const WORDS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "this key is there already",
  MULTIPLE_DOCS: "such a file is one document: nothing follows a line of ---",
};

export interface LineColumn {
  readonly line: number;
  readonly col: number;
}

export class LabSource {
  private constructor(
    readonly file: string,
    readonly value: unknown,
    private readonly root: Node | null,
    private readonly lines: LineCounter,
  ) {}

  /** `refuse` makes the error of a text that is not YAML. */
  static parse(file: string, text: string, refuse: (at: LineColumn, message: string) => Error): LabSource {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
    const syntax = document.errors[0];
    if (syntax) throw refuse(lines.linePos(syntax.pos[0]), WORDS[syntax.code] ?? syntax.message);
    visit(document, {
      Alias(_key, alias) {
        if (alias.resolve(document)) return;
        throw refuse(lines.linePos(alias.range?.[0] ?? 0), `nothing above is named &${alias.source}`);
      },
    });
    try {
      const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
      return new LabSource(file, value, document.contents, lines);
    } catch {
      throw refuse({ line: 1, col: 1 }, `its aliases stand for more than ${MAX_ALIASES} values`);
    }
  }

  /** The place of the node at a path, or of its nearest ancestor that exists; `depth`: how much of the path does. */
  locate(path: Path): { readonly depth: number; readonly at: LineColumn } {
    const { node, depth } = this.find(path);
    return { depth, at: this.lines.linePos(node?.range?.[0] ?? 0) };
  }

  private find(path: Path): { node: Node | null; depth: number } {
    let node: Node | null = this.root;
    for (const [depth, part] of path.entries()) {
      const last = depth === path.length - 1;
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => keyText(key) === String(part));
        if (!pair) return { node, depth };
        node = (last ? pair.key : (pair.value ?? pair.key)) as Node;
      } else if (isSeq(node) && node.items[Number(part)] !== undefined) {
        node = node.items[Number(part)] as Node;
      } else {
        return { node, depth };
      }
    }
    return { node, depth: path.length };
  }
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}
