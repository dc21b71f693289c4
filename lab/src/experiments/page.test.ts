/** docs/experiments: a page for each experiment, whose tables are those of its file. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseExperiment } from "../model/experiment/parse-experiment.js";
import { experimentTables, indexTable, withTables } from "./page.js";

const DOCS = new URL("../../../docs/experiments/", import.meta.url);
const FOLDER = new URL("../../experiments/", import.meta.url);
const names = readdirSync(FOLDER).map((file) => file.replace(".yaml", ""));

const load = (name: string) => parseExperiment(readFileSync(new URL(`${name}.yaml`, FOLDER), "utf8"), name);
const pageOf = (name: string) => readFileSync(new URL(`${name}.md`, DOCS), "utf8");

async function expectTables(page: string, tables: string): Promise<void> {
  const made = withTables(pageOf(page), tables);
  expect(made, `docs/experiments/${page}.md has no marks for what is made`).toBeDefined();
  await expect(made).toMatchFileSnapshot(new URL(`${page}.md`, DOCS).pathname);
}

describe("docs/experiments", () => {
  it("has a page for each experiment, and no other", () => {
    expect(readdirSync(DOCS).sort()).toEqual(["README.md", ...names.map((name) => `${name}.md`)].sort());
  });

  it.each(names)("%s.md has the tables of its experiment", async (name) => {
    await expectTables(name, experimentTables(load(name)));
  });

  it.each(
    names,
  )("%s.md says what it asks, how it measures, what was found and what would count as agreement", (name) => {
    const headings = [...pageOf(name).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      ...["What it asks", "How it is measured", "What others found", "What counts as agreement", "The experiment"],
    ]);
  });

  it("README.md has all of them in its table", async () => {
    await expectTables("README", indexTable(names.map(load)));
  });

  it("a page without marks is told from one with them", () => {
    expect(withTables("# A\n", "x")).toBeUndefined();
  });
});
