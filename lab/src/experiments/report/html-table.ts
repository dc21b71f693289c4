/** A table as HTML: sorted by a press on a heading, filtered by the field above it, as page/ does it. */
import { type Html, html } from "./html.js";
import type { Table, TableCell } from "./tables.js";

export function htmlTable({ id, caption, heads, rows }: Table, filterable = rows.length > 5): Html {
  return html`${filterable && filterField(id, caption)}
<div class="table" tabindex="0" role="region" aria-labelledby="${id}-caption">
<table id="${id}" class="sortable n-last">
<caption id="${id}-caption">${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col"><button type="button">${head}</button></th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map(htmlCell)}</tr>\n`)}</tbody>
</table>
</div>`;
}

function htmlCell({ text, by }: TableCell): Html {
  return by === undefined ? html`<td>${text}</td>` : html`<td class="number" data-sort="${by}">${text}</td>`;
}

/** Hidden until the script is there to filter. */
function filterField(id: string, caption: string): Html {
  return html`<div class="filter" hidden>
<label for="${id}-filter">Rows with</label>
<input id="${id}-filter" type="search" data-filters="${id}" aria-label="Show only rows with these words: ${caption}">
<span id="${id}-count" class="soft" role="status"></span>
</div>`;
}
