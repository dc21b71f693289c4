/** The table of faulty labs, in faulty-labs.txt: each is refused with exactly these words, at this place. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseLab } from "./parse-lab.js";

const LEAST = 60;
const table = readFileSync(new URL("faulty-labs.txt", import.meta.url), "utf8");

interface Faulty {
  readonly title: string;
  readonly text: string;
  readonly says: string;
}

/** `== title`, lines of the lab file, `=> what is said`. */
function parseTable(): Faulty[] {
  return table
    .split(/^== /m)
    .slice(1)
    .map((block) => {
      const [title = "", ...lines] = block.trimEnd().split("\n");
      const says = lines.pop()?.replace(/^=> /, "") ?? "";
      return { title, text: lines.join("\n"), says };
    });
}

describe("a faulty lab", () => {
  const labs = parseTable();

  it(`is one of ${LEAST} or more, each another fault`, () => {
    expect(labs.length).toBeGreaterThanOrEqual(LEAST);
    expect(new Set(labs.map(({ title }) => title)).size).toBe(labs.length);
    expect(new Set(labs.map(({ text }) => text)).size).toBe(labs.length);
  });

  it.each(labs)("$title", ({ text, says }) => {
    expect(() => parseLab(text, "lab.yaml")).toThrowError(
      expect.objectContaining({ code: "VNF_LAB_INVALID", message: `lab.yaml:${says}` }),
    );
  });
});
