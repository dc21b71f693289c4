/** Writes all forms of a run's report into its folder; they can be made again at any time, also while the run goes on. */
import { join } from "node:path";
import type { EngineContext } from "../../engine/context.js";
import { VnflabError } from "../../model/error.js";
import type { Run } from "../../model/experiment/run-folder.js";
import { cellsOf } from "../statistics/cells.js";
import { judgeExpectations } from "../statistics/expectations.js";
import { comparePublished } from "../statistics/published.js";
import { buildReport } from "./build-report.js";
import { drawPng, drawSvg } from "./draw.js";
import { figureSpec } from "./figure-spec.js";
import type { Report } from "./report.js";
import { stampLines } from "./stamp.js";
import { toCsv } from "./to-csv.js";
import { type PageAssets, toHtml } from "./to-html.js";
import { toMarkdown } from "./to-markdown.js";

type Files = EngineContext["host"]["files"];

/** What `npm run gen` makes of page/. */
const ASSETS = "lab/dist/report-page";

export interface WrittenReport {
  readonly report: Report;
  /** Absolute, report.html first. */
  readonly files: readonly string[];
}

/** Throws VNF_NOT_BUILT when the page's script is not there. */
export async function writeReport(
  { files, root }: { readonly files: Files; readonly root: string },
  run: Run,
): Promise<WrittenReport> {
  const assets = await readAssets(files, root);
  const cells = cellsOf(run);
  const judgements = { expectations: judgeExpectations(run, cells), published: comparePublished(run, cells) };
  const report = buildReport(run, cells, judgements);
  const written = new Map<string, string | Uint8Array>();
  const drawings = new Map<string, string>();
  const lines = stampLines(report);
  for (const figure of report.figures) {
    drawings.set(figure.id, await drawSvg(figureSpec(figure)));
    const svg = await drawSvg(figureSpec(figure, { heading: { title: figure.title, lines } }));
    written.set(`figures/${figure.id}.svg`, svg).set(`figures/${figure.id}.png`, drawPng(svg));
  }
  const forms: [string, string | Uint8Array][] = [
    ["report.html", toHtml(report, drawings, assets)],
    ["report.md", toMarkdown(report)],
    ["report.json", `${JSON.stringify(report, null, 2)}\n`],
    ["data.csv", toCsv(run)],
    ...written,
  ];
  // Figures of an earlier version may have had other names.
  await files.remove(join(run.folder, "figures"));
  for (const [name, content] of forms) await files.write(join(run.folder, name), content);
  return { report, files: forms.map(([name]) => join(run.folder, name)) };
}

async function readAssets(files: Files, root: string): Promise<PageAssets> {
  const [script, style] = await Promise.all(
    ["page.js", "page.css"].map((name) => files.readText(join(root, ASSETS, name))),
  );
  if (script === undefined || style === undefined) {
    throw new VnflabError("VNF_NOT_BUILT", `the script of a report's page is not there: ${join(root, ASSETS)}`, {
      hint: "Run `make build`.",
    });
  }
  return { script, style };
}
