/** Arguments of the runner. */
import { parseArgs } from "node:util";

export interface Options {
  rows: string[];
  sides: readonly ("ours" | "kernel")[];
  runs: number;
  durationS: number;
  warmupS: number;
  build: string;
  out: string;
  keys: string[];
  distribution: boolean;
}

export const USAGE = `usage: node stack/bench/dist/main.js [ROW...] [options]      (make bench ROWS="..." does the same)
  --ours-only, --kernel-only  one side, without ratios
  --runs N                    of each side and row (5)
  --duration S, --warmup S    seconds that count (2), and before them (1)
  --build DIR                 meson's folder (build/c)
  --out FILE                  results (build/bench/results.json)
  --key 'KEY = VALUE'         for our stack's configuration, at both ends; repeatable
  --no-distribution           without the rows about distribution alone
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
      "no-distribution": { type: "boolean", default: false },
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
  return {
    rows: positionals.flatMap((names) => names.split(/\s+/)).filter((name) => name !== ""),
    sides: values["ours-only"] ? ["ours"] : values["kernel-only"] ? ["kernel"] : ["ours", "kernel"],
    runs: Math.ceil(positive("runs", values.runs)),
    durationS: positive("duration", values.duration),
    warmupS: positive("warmup", values.warmup),
    build: values.build,
    out: values.out,
    keys: values.key,
    distribution: !values["no-distribution"],
  };
}
