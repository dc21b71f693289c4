/**
 * A report as one file that needs nothing else: style, script, data and drawings are inside, and its policy forbids to
 * load anything or to run any other script. All texts come from files and are escaped.
 */
import { createHash } from "node:crypto";
import { type Html, html, jsonData, trusted } from "./html.js";
import { htmlTable } from "./html-table.js";
import { pageFigure } from "./page-figure.js";
import type { Report, ReportFigure } from "./report.js";
import { stampSentence, stampTitle } from "./stamp.js";
import { cellTable, factTable, problemTable, publishedTable, trialWords, VERDICTS, verdictWords } from "./tables.js";

/** What `npm run gen` makes of page/. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** `drawings`: the SVG of each figure by its id, without title and stamp, which the page has as text. */
export function toHtml(report: Report, drawings: ReadonlyMap<string, string>, { script, style }: PageAssets): string {
  const code = scriptText(script);
  const policy = `default-src 'none'; script-src '${hashOf(code)}'; style-src '${hashOf(style)}'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${report.title} (${report.run})</title>
<style>${trusted(style)}</style>
</head>
<body>
<header>
<button id="theme" type="button" aria-label="Change between dark and light" hidden></button>
<h1>${report.title}</h1>
<p class="question">${report.question}</p>
<p class="soft">Run <span class="id">${report.run}</span>, begun ${report.createdAt}. ${trialWords(report)}</p>
${stamp(report)}
</header>
<main>
${expectations(report)}
<h2 id="figures">Figures</h2>
<p>Medians of each cell with the 95 % interval of the median, which is less sure of fewer than six trials. Small points beside them are single trials; point at one to see which.</p>
${report.figures.map((figure) => figureHtml(figure, report, drawings.get(figure.id)))}
<h2 id="all-cells">Cells</h2>
${htmlTable(cellTable(report), true)}
${problems(report)}
${published(report)}
${made(report)}
${definitions(report)}
<div id="vg-tooltip-element" role="tooltip"></div>
</main>
<footer><p class="soft">Written by vnflab from manifest.json and results.jsonl beside this file.</p></footer>
${report.figures.map((figure) => jsonData(`${plotId(figure)}-data`, pageFigure(figure)))}
<script>${trusted(code)}</script>
</body>
</html>
`;
  return page.markup;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** Nothing in it ends the element or opens a comment; in the strings where that stands a backslash changes nothing. */
function scriptText(script: string): string {
  return script.replace(/<\/script/gi, "<\\/script").replaceAll("<!--", "<\\!--");
}

function stamp(report: Report): Html {
  const failed = report.checks.filter(({ ok }) => !ok);
  return html`<section class="stamp" aria-labelledby="stamp">
<h2 id="stamp">${stampTitle(report)}</h2>
${report.stamp.length > 0 && html`<ul>${report.stamp.map((reason) => html`<li>${reason}</li>`)}</ul>`}
${
  failed.length > 0 &&
  html`<p>Checks of the host that failed: ${failed.map(({ name, detail }) => `${name} (${detail})`).join("; ")}.</p>`
}
</section>`;
}

function expectations(report: Report): Html {
  return html`<h2 id="expected">What was expected</h2>
<p>${verdictWords(report)}</p>
<dl>
${report.expectations.map(
  ({ says, verdict, reason }) =>
    html`<dt><span class="verdict ${verdict}">${VERDICTS[verdict]}</span>: ${says}</dt><dd>${reason}</dd>\n`,
)}</dl>`;
}

/** No letter of an experiment's file: figures are numbered. */
function plotId(figure: ReportFigure): string {
  return `plot-${Number.parseInt(figure.id, 10)}`;
}

function figureHtml(figure: ReportFigure, report: Report, drawing = ""): Html {
  const id = plotId(figure);
  return html`<h3 id="${id}-title">${figure.title}</h3>
<figure aria-labelledby="${id}-title">
<div class="plot" id="${id}" role="img" aria-label="${figure.alternative}">${trusted(drawing)}</div>
<figcaption>
${stampSentence(report)}
${figure.absent.length > 0 && html`<br>Not in the figure: ${figure.absent.map(({ label, reason }) => `${label} (${reason})`).join("; ")}.`}
</figcaption>
</figure>
`;
}

function problems(report: Report): Html {
  return html`<h2 id="no-figures">Trials without figures</h2>
${report.problems.length > 0 ? htmlTable(problemTable(report)) : html`<p>None: every trial that was run has its figures.</p>`}`;
}

function published(report: Report): Html {
  if (report.published.length === 0) return html``;
  return html`<h2 id="published">Published figures beside ours</h2>
${report.published.map(
  (one, i) => html`<h3>${one.source}</h3>
<p><span class="verdict ${one.verdict}">${VERDICTS[one.verdict]}</span>: ${one.reason}</p>
${htmlTable(publishedTable(one, i))}\n`,
)}`;
}

function made(report: Report): Html {
  return html`<h2 id="host">Host and versions</h2>
${htmlTable(factTable("host-facts", "The host that all machines ran on.", report.host), false)}
<h3>Versions</h3>
${htmlTable(factTable("version-facts", "What ran.", report.versions), false)}
<h2 id="again">Run it again</h2>
${report.commands.map(({ says, command }) => html`<p>${says}</p>\n<pre>${command}</pre>\n`)}`;
}

function definitions(report: Report): Html {
  return html`<h2 id="definitions">What the quantities are</h2>
<dl>
${report.quantities.map(
  ({ name, title, unit, definition, place, formula }) =>
    html`<dt>${title} (${unit}), <span class="id">${name}</span></dt>
<dd>${definition} Measured at: ${place}. Formula: ${formula}.</dd>\n`,
)}</dl>
<p>Each trial warms up for ${report.warmupS} s and counts for ${report.durationS} s, ${report.repetitions} times for each cell; the order comes from the seed ${report.seed}.</p>`;
}
