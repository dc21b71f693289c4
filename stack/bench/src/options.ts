/** Arguments of the runner. */
import { parseArgs } from "node:util";
import { chooseRows, type Row } from "./rows.js";

/** Stands among the names of rows for what is measured about distribution alone. */
const DISTRIBUTION = "distribution";

export interface Options {
  rowsChosen: Row[];
  sides: readonly ("ours" | "kernel")[];
  runs: number;
  durationS: number;
  warmupS: number;
  build: string;
  out: string;
  keys: string[];
  distribution: boolean;
}

/** All, without names; else what is named. A wrong name is told before anything is changed. */
function choose(names: readonly string[], ours: boolean): Pick<Options, "rowsChosen" | "distribution"> {
  const rowNames = names.filter((name) => name !== DISTRIBUTION);
  const all = names.length === 0;
  return {
    rowsChosen: all || rowNames.length > 0 ? chooseRows(rowNames) : [],
    distribution: ours && (all || rowNames.length < names.length),
  };
}

export const USAGE = `usage: node stack/bench/dist/main.js [ROW...] [options]      (make bench ROWS="..." does the same)
  without ROW all, and what distribution costs; the name \`distribution\` stands for that
  --ours-only, --kernel-only  one side, without ratios
  --runs N                    of each side and row (5)
  --duration S, --warmup S    seconds that count (2), and before them (1)
  --build DIR                 meson's folder (build/c)
  --out FILE                  results (build/bench/results.json)
  --key 'KEY = VALUE'         for our stack's configuration, at both ends; repeatable
`;

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} ${text}: not a number above 0`);
  return value;
}

export function parseOptions(argv: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      "ours-only": { type: "boolean", default: false },
      "kernel-only": { type: "boolean", default: false },
      runs: { type: "string", default: "5" },
      duration: { type: "string", default: "2" },
      warmup: { type: "string", default: "1" },
      build: { type: "string", default: "build/c" },
      out: { type: "string", default: "build/bench/results.json" },
      key: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  if (values["ours-only"] && values["kernel-only"]) throw new Error("--ours-only and --kernel-only exclude each other");
  const names = positionals.flatMap((text) => text.split(/\s+/)).filter((name) => name !== "");
  return {
    ...choose(names, !values["kernel-only"]),
    sides: values["ours-only"] ? ["ours"] : values["kernel-only"] ? ["kernel"] : ["ours", "kernel"],
    runs: Math.ceil(positive("runs", values.runs)),
    durationS: positive("duration", values.duration),
    warmupS: positive("warmup", values.warmup),
    build: values.build,
    out: values.out,
    keys: values.key,
  };
}
