/** HTML from templates in which every value is text, whatever it holds, unless it is HTML that was made here. */

/** Only `html` makes one; nothing else passes unescaped. */
export class Html {
  constructor(readonly markup: string) {}
}

export type HtmlPart = string | number | Html | readonly HtmlPart[] | undefined | false;

export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(strings.reduce((all, text, i) => all + text + (i < parts.length ? markupOf(parts[i]) : ""), ""));
}

/** Markup that a program of ours or a library has made, such as a drawing; never a text from a file. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

/** Data for the page's script: in a script element nothing but `<` can end it or open a comment. */
export function jsonData(id: string, data: unknown): Html {
  const text = JSON.stringify(data).replaceAll("<", "\\u003c");
  return html`<script type="application/json" id="${id}">${trusted(text)}</script>`;
}

function markupOf(part: HtmlPart): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Html) return part.markup;
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return part.map(markupOf).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
