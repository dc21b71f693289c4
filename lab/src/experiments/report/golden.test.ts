/** Recorded runs and the reports that come of them; `npx vitest run lab/src/experiments/report -u` writes the reports anew. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FakeFiles } from "../../host/fake-host.js";
import { MANIFEST, RESULTS, type Run } from "../../model/experiment/run-folder.js";
import { cellsOf } from "../statistics/cells.js";
import { judgeExpectations } from "../statistics/expectations.js";
import { comparePublished } from "../statistics/published.js";
import { readRun } from "../store.js";
import { buildReport } from "./build-report.js";
import { reportJsonSchema, reportSchema } from "./report.js";
import { toCsv } from "./to-csv.js";
import { toMarkdown } from "./to-markdown.js";

const GOLDEN = join(import.meta.dirname, "golden");

async function recorded(name: string): Promise<Run> {
  const files = new FakeFiles();
  const folder = `/results/${name}`;
  for (const file of [MANIFEST, RESULTS]) {
    await files.write(join(folder, file), readFileSync(join(GOLDEN, name, file), "utf8"));
  }
  return readRun(files, folder);
}

describe.each(readdirSync(GOLDEN))("the report of the recorded run %s", (name) => {
  it("is as it was", async () => {
    const run = await recorded(name);
    const cells = cellsOf(run);
    const judgements = { expectations: judgeExpectations(run, cells), published: comparePublished(run, cells) };
    const report = buildReport(run, cells, judgements);
    expect(reportSchema.parse(report)).toEqual(report);
    const golden = (file: string) => join(GOLDEN, name, file);
    await expect(`${JSON.stringify(report, null, 2)}\n`).toMatchFileSnapshot(golden("report.json"));
    // Not .md: its figures are not there to link to.
    await expect(toMarkdown(report)).toMatchFileSnapshot(golden("report.md.txt"));
    await expect(toCsv(run).replaceAll("\r\n", "\n")).toMatchFileSnapshot(golden("data.csv"));
  });
});

it("has a schema that other programs can read", async () => {
  const text = `${JSON.stringify(reportJsonSchema(), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot("../../../schema/report.schema.json");
});
