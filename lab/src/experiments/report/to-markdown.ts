/** A report as Markdown, by a writer that escapes: what comes from a file is text and becomes neither markup nor HTML. */
import type { BlockContent, PhrasingContent, Root, RootContent } from "mdast";
import { gfmTableToMarkdown } from "mdast-util-gfm-table";
import { toMarkdown as write } from "mdast-util-to-markdown";
import type { Report } from "./report.js";
import { stampSentence, stampTitle } from "./stamp.js";
import type { Table } from "./tables.js";
import {
  cellTable,
  expectationTable,
  factTable,
  problemTable,
  publishedTable,
  trialWords,
  VERDICTS,
  verdictWords,
} from "./tables.js";

export function toMarkdown(report: Report): string {
  const root: Root = {
    type: "root",
    children: [
      heading(1, report.title),
      paragraph(text(report.question)),
      paragraph(text(`Run ${report.run}, begun ${report.createdAt}. ${trialWords(report)}`)),
      ...stamp(report),
      ...[heading(2, "What was expected"), paragraph(text(verdictWords(report)))],
      ...table(expectationTable(report)),
      ...figures(report),
      ...[heading(2, "Cells"), ...table(cellTable(report))],
      heading(2, "Trials without figures"),
      ...(report.problems.length > 0 ? table(problemTable(report)) : [paragraph(text("None."))]),
      ...published(report),
      ...[heading(2, "Host"), ...table(factTable("host", "The host that all machines ran on.", report.host))],
      ...[heading(2, "Versions"), ...table(factTable("versions", "What ran.", report.versions))],
      heading(2, "Run it again"),
      ...report.commands.flatMap(({ says, command }) => [paragraph(text(says)), code(command)]),
      ...definitions(report),
    ],
  };
  return write(root, { bullet: "-", extensions: [gfmTableToMarkdown({ tablePipeAlign: false })] });
}

const text = (value: string): PhrasingContent => ({ type: "text", value: oneLine(value) });
const paragraph = (...children: PhrasingContent[]): BlockContent => ({ type: "paragraph", children });
const heading = (depth: 1 | 2 | 3, value: string): BlockContent => ({
  type: "heading",
  depth,
  children: [text(value)],
});
const code = (value: string): BlockContent => ({ type: "code", lang: "sh", value });
const strong = (value: string): PhrasingContent => ({ type: "strong", children: [text(value)] });

/** A text of several lines would end the row of a table. */
function oneLine(value: string): string {
  return value.replace(/\s+/g, " ");
}

function list(items: readonly PhrasingContent[][]): RootContent {
  return {
    type: "list",
    spread: false,
    children: items.map((children) => ({ type: "listItem", spread: false, children: [paragraph(...children)] })),
  };
}

function table({ caption, heads, rows }: Table): RootContent[] {
  if (rows.length === 0) return [];
  const row = (cells: readonly string[]) => ({
    type: "tableRow" as const,
    children: cells.map((value) => ({ type: "tableCell" as const, children: [text(value)] })),
  });
  const align = heads.map((_, i) => (rows.every((cells) => cells[i]?.by !== undefined) ? ("right" as const) : null));
  const body = rows.map((cells) => row(cells.map((cell) => cell.text)));
  return [paragraph(text(caption)), { type: "table", align, children: [row(heads), ...body] }];
}

function stamp(report: Report): RootContent[] {
  return [
    paragraph(strong(stampTitle(report))),
    ...(report.stamp.length > 0 ? [list(report.stamp.map((one) => [text(one)]))] : []),
  ];
}

function figures(report: Report): RootContent[] {
  return [
    heading(2, "Figures"),
    ...report.figures.flatMap(({ id, title, alternative, absent }): RootContent[] => [
      heading(3, title),
      paragraph({ type: "image", url: `figures/${id}.svg`, alt: oneLine(alternative) }),
      paragraph(text(stampSentence(report))),
      ...(absent.length > 0
        ? [list(absent.map(({ label, reason }) => [text(`not shown: ${label} (${reason})`)]))]
        : []),
    ]),
  ];
}

function published(report: Report): RootContent[] {
  if (report.published.length === 0) return [];
  return [
    heading(2, "Published figures beside ours"),
    ...report.published.flatMap((one, i): RootContent[] => [
      heading(3, one.source),
      paragraph(strong(VERDICTS[one.verdict]), text(`: ${one.reason}`)),
      ...table(publishedTable(one, i)),
    ]),
  ];
}

function definitions({ quantities, warmupS, durationS, repetitions, seed }: Report): RootContent[] {
  return [
    heading(2, "What the quantities are"),
    list(
      quantities.map(({ name, title, unit, definition, place, formula }) => [
        strong(`${title} (${unit}), ${name}`),
        text(`: ${definition} Measured at: ${place}. Formula: ${formula}.`),
      ]),
    ),
    paragraph(
      text(
        `Each trial warms up for ${warmupS} s and counts for ${durationS} s, ${repetitions} times for each cell; the order comes from the seed ${seed}.`,
      ),
    ),
  ];
}
