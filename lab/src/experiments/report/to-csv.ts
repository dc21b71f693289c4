/** data.csv: a row for each trial and quantity, and one for each trial that has none (RFC 4180). */
import { stringify } from "csv-stringify/sync";
import type { Run } from "../../model/experiment/run-folder.js";

export function toCsv({ manifest, results }: Run): string {
  const factors = manifest.experiment.factors.map(({ name }) => name);
  const head = [
    "run",
    "trial",
    "cell",
    "repetition",
    "telemetry",
    "status",
    ...factors,
    "quantity",
    "value",
    "started_at",
    "problems",
  ];
  const rows = results.flatMap(
    ({ trial, cell, repetition, telemetry, status, levels, values, startedAt, problems }) => {
      const before = [
        manifest.run,
        trial,
        cell,
        repetition,
        telemetry,
        status,
        ...factors.map((name) => levels[name] ?? ""),
      ];
      const after = [startedAt, problems.join("; ")];
      const measured = Object.entries(values);
      if (measured.length === 0) return [[...before, "", "", ...after]];
      return measured.map(([quantity, value]) => [...before, quantity, value, ...after]);
    },
  );
  return stringify([head, ...rows], {
    record_delimiter: "windows",
    // A spreadsheet must not take a text for a formula.
    escape_formulas: true,
    cast: { boolean: String, number: String },
  });
}
