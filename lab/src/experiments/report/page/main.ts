/** What a report's page does in a browser. Without it the page is whole too: figures are drawn, tables are there. */
import "sortable-tablesort/dist/esm/sortable.js";
import { drawFigures } from "./figures.js";
import { filterTables } from "./filter.js";
import { toggleTheme } from "./theme.js";

toggleTheme();
filterTables();
drawFigures();
