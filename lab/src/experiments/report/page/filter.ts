/** The field above a table: rows that do not hold all its words are hidden. */

export function filterTables(): void {
  for (const field of document.querySelectorAll<HTMLInputElement>("input[data-filters]")) {
    const table = document.querySelector<HTMLTableElement>(`#${field.dataset.filters}`);
    const count = document.querySelector(`#${field.dataset.filters}-count`);
    if (!table || !count) continue;
    const apply = () => {
      const words = field.value.toLowerCase().split(/\s+/);
      // Sorting replaces the body, so it is asked for anew.
      const rows = [...(table.tBodies[0]?.rows ?? [])];
      for (const row of rows) row.hidden = !words.every((word) => row.textContent?.toLowerCase().includes(word));
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    };
    field.addEventListener("input", apply);
    if (field.parentElement) field.parentElement.hidden = false;
    apply();
  }
}
